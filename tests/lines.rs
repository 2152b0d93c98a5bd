//! dotenv and INI files in a transparent repository: added, checked out, changed, merged, diffed and judged.

use std::fs;

use crate::support::{CANARY, Sandbox};

const ENV: &str = "# for CANARY\n\nexport TOKEN=CANARY-1\nURL=\"https://CANARY/?a=b#c\"\n\n# far\n# from\n# each\n# other\n\nEMPTY=\n\
                   KEY=CANARY-2\\nCANARY\n";
const INI: &str = "; CANARY\n; in two lines\n[db]  ; CANARY behind\nhost = \"db.CANARY\"  ; main CANARY\nTOKEN: CANARY-1\n\n; far\n\n; from\n\
                   [other]\n# each\n# other\nlong = \"\"\"CANARY\n  over lines\"\"\"\nnext = CANARY \\\n  and more\n; yes\nKEY = CANARY-2\n\
                   ; the end CANARY\n";
const FILES: [(&str, &str); 2] = [("secrets/.env", ENV), ("secrets/app.ini", INI)];

fn committed() -> Sandbox {
    let sandbox = Sandbox::set_up();
    for (path, text) in FILES {
        sandbox.write(path, text);
    }
    sandbox.git(&["add", "."]).ok().silent();
    for (path, text) in FILES {
        sandbox.assert_sealed(&format!(":{path}"));
        assert_eq!(sandbox.text(path), text);
    }
    sandbox.commit_all("secrets");
    sandbox
}

#[test]
fn they_are_sealed_on_add_and_open_in_a_checkout() {
    let sandbox = committed();
    sandbox.assert_clean();
    for (path, text) in FILES {
        let sealed = String::from_utf8(sandbox.stored(&format!("HEAD:{path}"))).unwrap();
        assert!(!sealed.contains(CANARY), "{sealed}");
        fs::remove_file(sandbox.repo.join(path)).unwrap();
        sandbox.git(&["checkout", "--quiet", "--", path]).ok();
        assert_eq!(sandbox.text(path), text);
    }
    sandbox.assert_clean();
    sandbox.seal(&["verify"]).ok();
    sandbox.seal(&["install", "--global"]).ok();
    let clone = sandbox.clone_to("clone", &[]);
    for (path, text) in FILES {
        assert_eq!(fs::read_to_string(clone.join(path)).unwrap(), text);
    }
    sandbox.assert_clean_in(&clone);
    sandbox.assert_no_leak();
}

#[test]
fn one_changed_value_is_one_changed_line_and_the_proof() {
    let sandbox = committed();
    for (path, text) in FILES {
        let stored = |name: &str| String::from_utf8(sandbox.stored(&format!("{name}:{path}"))).unwrap();
        let before = stored("HEAD");
        sandbox.write(path, text.replace("CANARY-1", "CANARY-new"));
        sandbox.git(&["add", path]).ok();
        let after = stored("");
        assert_eq!(before.lines().count(), after.lines().count());
        let changed = before.lines().zip(after.lines()).filter(|(old, new)| old != new);
        let keys: Vec<&str> = changed
            .map(|(_, new)| new.trim_start_matches("sops_").split(['=', ':']).next().unwrap().trim())
            // The note of spellings belongs to one state of the values, the time may be the same second.
            .filter(|key| !matches!(*key, "git_seal_layout" | "lastmodified"))
            .collect();
        let expected = if path.ends_with("env") { "export TOKEN" } else { "TOKEN" };
        assert_eq!(keys, [expected, "mac"], "{path}");
        let diff = sandbox.git(&["diff", "--cached", "--", path]).ok().text();
        assert!(
            diff.contains("CANARY-1") && diff.contains("CANARY-new") && !diff.contains("ENC["),
            "{diff}"
        );
        // Taken back, it is the old blob.
        sandbox.write(path, text);
        sandbox.git(&["add", path]).ok();
        assert_eq!(stored(""), before);
    }
    sandbox.assert_clean();
    sandbox.assert_no_leak();
}

#[test]
fn changes_of_two_keys_merge_and_those_of_one_key_are_a_draft() {
    for (path, text) in FILES {
        let sandbox = committed();
        let put = |branch: &[&str], value: [&str; 2]| {
            sandbox.git(&[&["checkout", "--quiet"], branch].concat()).ok();
            sandbox.write(path, text.replace(value[0], value[1]));
            sandbox.commit_all("change");
        };
        put(&["-b", "side"], ["CANARY-2", "CANARY-theirs"]);
        put(&["-b", "other", "main"], ["CANARY-1", "CANARY-other"]);
        put(&["main"], ["CANARY-1", "CANARY-ours"]);
        sandbox.git(&["merge", "--quiet", "side", "-m", "merge"]).ok();
        let merged = text
            .replace("CANARY-1", "CANARY-ours")
            .replace("CANARY-2", "CANARY-theirs");
        assert_eq!(sandbox.text(path), merged);
        sandbox.assert_sealed(&format!("HEAD:{path}"));
        sandbox.assert_clean();
        sandbox.seal(&["verify"]).ok();
        sandbox.git(&["merge", "--quiet", "other"]).fails();
        assert!(sandbox.text(path).contains("<<<<<<<"), "{}", sandbox.text(path));
        sandbox.git(&["add", path]).ok();
        sandbox.git(&["commit", "--quiet", "-m", "x"]).fails().says("GS104");
        sandbox.write(path, &merged);
        sandbox.git(&["add", path]).ok();
        sandbox.git(&["commit", "--quiet", "-m", "x"]).ok();
        sandbox.assert_clean();
        sandbox.assert_no_leak();
    }
}

#[test]
fn what_is_typed_into_a_sealed_file_is_found_and_completed() {
    let sandbox = Sandbox::set_up();
    let places = [
        ("p.env", ENV, "TYPED=CANARY\n#CANARY\n"),
        ("p.ini", INI, "typed = CANARY\n; CANARY\n"),
    ];
    sandbox.policy(&[("", crate::support::ALICE)]);
    for (path, text, typed) in places {
        sandbox.write(path, text);
        sandbox.seal(&["encrypt", "--in-place", path]).ok();
        let sealed = sandbox.text(path);
        assert!(!sealed.contains(CANARY), "{sealed}");
        sandbox.write(path, format!("{typed}{sealed}"));
        sandbox.seal(&["decrypt", path]).exits(25);
        sandbox.seal(&["encrypt", "--in-place", path]).ok();
        assert!(!sandbox.text(path).contains(CANARY), "{}", sandbox.text(path));
        let plain = sandbox.seal(&["decrypt", path]).ok().text();
        // The note of spellings belongs to the values before: of this one, only the value is left.
        let text = text.replace("CANARY \\\n  and", "CANARY and");
        assert_eq!(plain, format!("{typed}{text}"));
        sandbox.seal(&["encrypt", path]).exits(203);
    }
}
