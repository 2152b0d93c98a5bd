//! SOPS itself as a peer: the program `sops` from `PATH`, in a folder and an environment of its own.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use git_seal::document::Format;

use super::vectors::{Keys, Settings, folder, read};

/// The program and the folder that it works in.
pub struct Sops {
    folder: tempfile::TempDir,
    files: AtomicUsize,
}

impl Sops {
    /// The peer. A test that needs it fails where it is missing: one that is passed over proves nothing.
    pub fn new() -> Self {
        let peer = Self {
            folder: tempfile::Builder::new().prefix("sops").tempdir().unwrap(),
            files: AtomicUsize::new(0),
        };
        let identities = [read("keys/all.txt"), read("keys/pq.txt")].concat();
        fs::write(peer.folder.path().join("keys.txt"), identities).unwrap();
        let version = peer.run(&["--version", "--disable-version-check"]);
        let version = version.expect("`sops` must be in PATH for this test");
        assert!(
            version.starts_with(b"sops 3.13.1"),
            "not SOPS 3.13.1: {}",
            String::from_utf8_lossy(&version)
        );
        peer
    }

    /// Its stdout, or what it said when it failed.
    fn run(&self, args: &[&str]) -> Result<Vec<u8>, String> {
        let output = Command::new("sops")
            .args(args)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("SOPS_AGE_KEY_FILE", self.folder.path().join("keys.txt"))
            .env("SOPS_AGE_SSH_PRIVATE_KEY_FILE", folder().join("keys/ssh_ed25519"))
            // One that runs for milliseconds is not made faster by more threads and a collection of garbage.
            .envs([("GOMAXPROCS", "1"), ("GOGC", "off")])
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("sops: {error}"))?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn put(&self, end: &str, bytes: &[u8]) -> PathBuf {
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.path().join(format!("{number}.{end}"));
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Seals a plain file for Alice.
    pub fn encrypt(&self, format: Format, plain: &[u8], settings: &Settings) -> Result<Vec<u8>, String> {
        self.encrypt_for(format, plain, settings, &Keys::alice())
    }

    /// Seals a plain file.
    pub fn encrypt_for(
        &self,
        format: Format,
        plain: &[u8],
        settings: &Settings,
        keys: &Keys,
    ) -> Result<Vec<u8>, String> {
        let path = self.put(end(format), plain);
        let config = self.put("config", rule(settings, keys).as_bytes());
        self.run(&["--config", config.to_str().unwrap(), "encrypt", path.to_str().unwrap()])
    }

    /// Opens a sealed file.
    pub fn decrypt(&self, format: Format, sealed: &[u8]) -> Result<Vec<u8>, String> {
        self.run(&["decrypt", self.put(end(format), sealed).to_str().unwrap()])
    }

    /// Has one place of a sealed file changed: `words` are `set` or `unset`, and what stands behind the file's name.
    pub fn change(&self, format: Format, sealed: &[u8], words: &[&str]) -> Result<Vec<u8>, String> {
        let path = self.put(end(format), sealed);
        let (verb, rest) = words.split_first().unwrap();
        let mut args = vec![*verb, path.to_str().unwrap()];
        args.extend(rest);
        self.run(&args)?;
        Ok(fs::read(path).unwrap())
    }

    /// Opens a sealed file as JSON: read by another parser than ours.
    pub fn decrypt_to_json(&self, format: Format, sealed: &[u8]) -> Result<Vec<u8>, String> {
        let path = self.put(end(format), sealed);
        self.run(&["decrypt", "--output-type", "json", path.to_str().unwrap()])
    }
}

fn end(format: Format) -> &'static str {
    match format {
        Format::Binary => "bin",
        Format::Dotenv => "env",
        other => other.name(),
    }
}

/// A `.sops.yaml` with these settings; not all of them have an option of the command line.
fn rule(settings: &Settings, keys: &Keys) -> String {
    let mut text = "creation_rules:\n  - key_groups:\n".to_owned();
    for group in &keys.groups {
        text.push_str("      - age:\n");
        text.extend(group.iter().map(|recipient| format!("          - '{recipient}'\n")));
    }
    if let Some(threshold) = keys.threshold {
        text.push_str(&format!("    shamir_threshold: {threshold}\n"));
    }
    for (name, setting) in settings.selection.named() {
        if let Some(setting) = setting {
            text.push_str(&format!("    {name}: '{setting}'\n"));
        }
    }
    if settings.mac_only_encrypted {
        text.push_str("    mac_only_encrypted: true\n");
    }
    text
}
