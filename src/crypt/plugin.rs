//! The programs `age-plugin-NAME` that keep keys elsewhere: age's plugin protocol, our side of it.
//!
//! Two phases: we send all we have, then the program sends commands and we answer each, until it is done. Its bytes are not
//! trusted: lengths are limited, and its words are cleaned before anybody sees them. What it writes to its stderr is not shown, and
//! nothing that is exchanged is ever logged: the file key goes through here.

use age::secrecy::{ExposeSecret as _, SecretString};
use age_core::format::{FILE_KEY_BYTES, FileKey, Stanza};
use data_encoding::BASE64_NOPAD;
use zeroize::Zeroizing;

use super::error::{Error, PluginFault};
use super::host::{Host, Machine, Question};
use super::plugin_wire::Wire;

/// Commands of a plugin in one conversation: enough for any dialogue, and an end for one that never is done.
const MOST: usize = 1000;
/// Characters of a plugin's sentence that are shown.
const SHOWN: usize = 400;

/// The name of a plugin and the whole text of its key, in its own spelling.
#[derive(Clone)]
pub(super) struct Key<T> {
    /// As in the program's name.
    pub name: String,
    /// The text: public for a recipient, secret for an identity.
    pub text: T,
}

impl Key<String> {
    /// Has the plugin wrap `file_key`.
    pub(super) fn wrap(&self, host: &dyn Host, file_key: &FileKey) -> Result<Vec<Stanza>, Error> {
        let talk = Talk::start(host, &self.name, Machine::Recipient)?;
        talk.run(|talk| talk.wrap(&self.text, file_key))
    }
}

impl Key<SecretString> {
    /// Has the plugin unwrap one of `stanzas`; `None` if none is its.
    pub(super) fn unwrap(&self, host: &dyn Host, stanzas: &[Stanza]) -> Result<Option<FileKey>, Error> {
        let talk = Talk::start(host, &self.name, Machine::Identity)?;
        talk.run(|talk| talk.unwrap(&self.text, stanzas))
    }
}

/// The prefix of a Bech32 text, in lower case; `None` if the text is not valid.
pub(super) fn name_in(text: &str) -> Option<String> {
    let prefix = |prefix: &bech32::Hrp| prefix.as_str().to_ascii_lowercase();
    age_core::primitives::bech32_decode(text, |_| (), |_| Ok(()), |hrp, _| Ok(prefix(&hrp))).ok()
}

/// One conversation with one program.
struct Talk<'t> {
    host: &'t dyn Host,
    name: &'t str,
    wire: Wire,
}

/// Why a conversation ends early.
enum Break {
    Fault(PluginFault),
    Whole(Error),
}

impl From<PluginFault> for Break {
    fn from(fault: PluginFault) -> Self {
        Self::Fault(fault)
    }
}

fn garbled(what: &'static str) -> Break {
    Break::Fault(PluginFault::Garbled(what))
}

/// What a command of the program was answered with.
enum Reply<'r> {
    Ok(&'r [u8]),
    Word(&'static str),
    Fail,
    Unsupported,
}

impl<'t> Talk<'t> {
    fn start(host: &'t dyn Host, name: &'t str, machine: Machine) -> Result<Self, Error> {
        let program = host.start(name, machine).map_err(|fault| Error::Plugin {
            plugin: name.to_owned(),
            fault,
        })?;
        Ok(Self {
            host,
            name,
            wire: Wire::new(program, host.patience()),
        })
    }

    /// Runs a conversation to its end. The program is ended at once if it goes wrong.
    fn run<T>(mut self, steps: impl FnOnce(&mut Self) -> Result<T, Break>) -> Result<T, Error> {
        match steps(&mut self) {
            Ok(done) => {
                self.wire.finish();
                Ok(done)
            }
            Err(Break::Fault(fault)) => Err(Error::Plugin {
                plugin: self.name.to_owned(),
                fault,
            }),
            Err(Break::Whole(error)) => Err(error),
        }
    }

    fn wrap(&mut self, recipient: &str, file_key: &FileKey) -> Result<Vec<Stanza>, Break> {
        self.wire.send(&["add-recipient", recipient], &[])?;
        // A file of ours has one recipient, so no label of it can be at odds with another's.
        self.wire.send(&["extension-labels"], &[])?;
        self.wire.send(&["wrap-file-key"], file_key.expose_secret())?;
        self.wire.send(&["done"], &[])?;
        let mut stanzas = Vec::new();
        let refused = self.serve(|command| match (command.tag.as_str(), command.args.as_slice()) {
            ("recipient-stanza", [file, tag, args @ ..]) if file == "0" => {
                stanzas.push(Stanza {
                    tag: tag.clone(),
                    args: args.to_vec(),
                    body: command.body.clone(),
                });
                Some(Ok(()))
            }
            ("recipient-stanza", _) => Some(Err("a stanza for another file than the one that was sent")),
            ("labels", _) => Some(Ok(())),
            _ => None,
        })?;
        match (stanzas.is_empty(), refused) {
            (_, Some(fault)) => Err(fault.into()),
            (true, None) => Err(garbled("it is done without a stanza or an error")),
            (false, None) => Ok(stanzas),
        }
    }

    fn unwrap(&mut self, identity: &SecretString, stanzas: &[Stanza]) -> Result<Option<FileKey>, Break> {
        self.wire.send(&["add-identity", identity.expose_secret()], &[])?;
        for stanza in stanzas {
            let mut words = vec!["recipient-stanza", "0", stanza.tag.as_str()];
            words.extend(stanza.args.iter().map(String::as_str));
            self.wire.send(&words, &stanza.body)?;
        }
        self.wire.send(&["done"], &[])?;
        let mut file_key = None;
        let refused = self.serve(|command| {
            if command.tag != "file-key" {
                return None;
            }
            let bytes = Zeroizing::new(command.body.clone());
            let Ok(key) = <[u8; FILE_KEY_BYTES]>::try_from(bytes.as_slice()).map(Zeroizing::new) else {
                return Some(Err("a file key of a wrong length"));
            };
            if file_key.is_some() || command.args != ["0"] {
                return Some(Err("a file key that was not asked for"));
            }
            file_key = Some(FileKey::init_with_mut(|slot| *slot = *key));
            Some(Ok(()))
        })?;
        match (file_key, refused) {
            (None, Some(fault)) => Err(fault.into()),
            (file_key, _) => Ok(file_key),
        }
    }

    /// Answers the program's commands until it is done. `own` takes those that belong to what it was started for.
    /// Gives the program's first report of an error; it may still come up with what was asked for, by another way.
    fn serve(
        &mut self,
        mut own: impl FnMut(&Stanza) -> Option<Result<(), &'static str>>,
    ) -> Result<Option<PluginFault>, Break> {
        let mut refused = None;
        for _ in 0..MOST {
            let mut command = self.wire.receive()?;
            match (own(&command), command.tag.as_str()) {
                (Some(Ok(())), _) => self.reply(&Reply::Ok(&[]))?,
                (Some(Err(fault)), _) => return Err(garbled(fault)),
                (None, "done") => return Ok(refused),
                (None, "error") => {
                    refused = refused.or(Some(PluginFault::Refused(shown(&command.body))));
                    self.reply(&Reply::Ok(&[]))?;
                }
                (None, "msg") => {
                    self.host.tell(self.name, &shown(&command.body));
                    self.reply(&Reply::Ok(&[]))?;
                }
                (None, "confirm") => self.confirm(&command)?,
                (None, "request-public" | "request-secret") => self.ask(&command)?,
                (None, _) => self.reply(&Reply::Unsupported)?,
            }
            zeroize::Zeroize::zeroize(&mut command.body);
        }
        Err(garbled("it does not come to an end"))
    }

    fn ask(&mut self, command: &Stanza) -> Result<(), Break> {
        let (plugin, text) = (self.name, &shown(&command.body));
        let question = match command.tag.as_str() {
            "request-secret" => Question::Secret { plugin, text },
            _ => Question::Plain { plugin, text },
        };
        match self.answer(question)? {
            Some(answer) => self.reply(&Reply::Ok(answer.expose_secret().as_bytes())),
            None => self.reply(&Reply::Fail),
        }
    }

    fn confirm(&mut self, command: &Stanza) -> Result<(), Break> {
        let word = |word: &String| Some(shown(&BASE64_NOPAD.decode(word.as_bytes()).ok()?));
        let words: Option<Vec<String>> = command.args.iter().map(word).collect();
        let Some((yes, no)) = words.as_deref().and_then(|words| words.split_first()) else {
            return Err(garbled("a choice without words for it"));
        };
        let text = shown(&command.body);
        let question = Question::Choice {
            plugin: self.name,
            text: &text,
            yes,
            no: no.first().map(String::as_str),
        };
        match self.answer(question)? {
            Some(answer) if answer.expose_secret() == "yes" => self.reply(&Reply::Word("yes")),
            Some(_) => self.reply(&Reply::Word("no")),
            None => self.reply(&Reply::Fail),
        }
    }

    /// A person's answer; `None` if the question was cancelled.
    fn answer(&mut self, question: Question<'_>) -> Result<Option<SecretString>, Break> {
        match self.host.ask(question) {
            Ok(answer) => Ok(Some(answer)),
            Err(Error::Unanswered) => Ok(None),
            Err(Error::NoTerminal) => Err(PluginFault::NoTerminal.into()),
            Err(Error::ProtectedIdentity) => Err(PluginFault::NobodyAsked.into()),
            Err(error) => Err(Break::Whole(error)),
        }
    }

    fn reply(&mut self, reply: &Reply<'_>) -> Result<(), Break> {
        match reply {
            Reply::Ok(data) => self.wire.send(&["ok"], data)?,
            Reply::Word(word) => self.wire.send(&["ok", word], &[])?,
            Reply::Fail => self.wire.send(&["fail"], &[])?,
            Reply::Unsupported => self.wire.send(&["unsupported"], &[])?,
        }
        Ok(())
    }
}

/// A plugin's text in one line, without anything that moves a cursor or fills a screen.
fn shown(text: &[u8]) -> String {
    let plain = String::from_utf8_lossy(text).replace(char::is_control, " ");
    let words: Vec<&str> = plain.split_whitespace().collect();
    words.join(" ").chars().take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;
    use crate::crypt::scripted::Scripted;

    const FILE_KEY: [u8; FILE_KEY_BYTES] = *b"sixteen bytes !!";
    const KEY_TEXT: &str = "c2l4dGVlbiBieXRlcyAhIQ";

    fn recipient() -> Key<String> {
        Key {
            name: "mirror".into(),
            text: "age1mirror1qyen8ku8".into(),
        }
    }

    fn identity() -> Key<SecretString> {
        Key {
            name: "mirror".into(),
            text: "AGE-PLUGIN-MIRROR-1QYRZU7V8".into(),
        }
    }

    fn file_key() -> FileKey {
        FileKey::init_with_mut(|slot| *slot = FILE_KEY)
    }

    fn stanza(body: usize) -> Stanza {
        Stanza {
            tag: "mirror".into(),
            args: vec!["a".into(), "b".into()],
            body: vec![0; body],
        }
    }

    #[track_caller]
    fn fails(host: &Scripted, fault: PluginFault) {
        let expected = Error::Plugin {
            plugin: "mirror".into(),
            fault,
        };
        let wrapped = recipient().wrap(host, &file_key());
        assert_eq!(wrapped.map(|stanzas| stanzas.len()), Err(expected.clone()));
        let unwrapped = identity().unwrap(host, &[stanza(0)]);
        assert_eq!(unwrapped.map(|key| key.is_some()), Err(expected));
        assert!(!*host.finished.lock().unwrap(), "what went wrong is ended at once");
    }

    #[test]
    fn programs_that_do_not_do_their_part() {
        use PluginFault as F;
        fails(&Scripted::default(), F::Missing);
        for cut in ["", "-> msg", "-> msg\n", "-> msg\naGk\n", "-> recipient-stanza 0 x\n"] {
            fails(&Scripted::program(cut), F::Died);
        }
        let silent = Scripted {
            then: Some(std::io::ErrorKind::TimedOut),
            ..Scripted::program("-> msg\naGk\n")
        };
        fails(&silent, F::Silent(60));
        let long = format!("-> msg\n{}\n", "A".repeat(65));
        let endless = format!("-> msg {}", "A".repeat(2 << 20));
        let chatty = "-> msg\n\n".repeat(MOST + 1);
        let garbled = [
            ("hello\n", "a line that is no command"),
            ("->msg\n\n", "a line that is no command"),
            ("-> \n\n", "a command with unfit words"),
            ("-> msg  x\n\n", "a command with unfit words"),
            ("-> msg \u{e4}\n\n", "a command with unfit words"),
            ("-> msg\n!!!!\n", "a body that is not base64"),
            ("-> msg\naGk=\n", "a body that is not base64"),
            ("-> msg\r\n\r\n", "a command with unfit words"),
            (&long, "a body of too many letters"),
            (&endless, "a line without end"),
            (&chatty, "it does not come to an end"),
            ("-> confirm\n\n", "a choice without words for it"),
            ("-> confirm ====\n\n", "a choice without words for it"),
        ];
        for (says, what) in garbled {
            fails(&Scripted::program(says), F::Garbled(what));
        }
        fails(
            &Scripted {
                says: Some(b"-> msg \xff\n\n".to_vec()),
                ..Scripted::default()
            },
            F::Garbled("a line that is not text"),
        );
    }

    #[track_caller]
    fn wraps(says: &str, fault: PluginFault) {
        let error = recipient().wrap(&Scripted::program(says), &file_key()).unwrap_err();
        let plugin = "mirror".into();
        assert_eq!(error, Error::Plugin { plugin, fault }, "{says}");
    }

    #[track_caller]
    fn unwraps(says: &str, fault: PluginFault) {
        let answer = identity().unwrap(&Scripted::program(says), &[stanza(0)]);
        let plugin = "mirror".into();
        assert_eq!(
            answer.map(|key| key.is_some()),
            Err(Error::Plugin { plugin, fault }),
            "{says}"
        );
    }

    #[test]
    fn answers_that_are_refused() {
        use PluginFault as F;
        wraps("-> done\n\n", F::Garbled("it is done without a stanza or an error"));
        let other = F::Garbled("a stanza for another file than the one that was sent");
        for says in [
            "-> recipient-stanza 1 x\n\n-> done\n\n",
            "-> recipient-stanza 0\n\n-> done\n\n",
        ] {
            wraps(says, other.clone());
        }
        // "no\x1b[2J card", cleaned.
        let says = "-> error recipient 0\nbm8bWzJKIGNhcmQ\n-> recipient-stanza 0 x\n\n-> done\n\n";
        wraps(says, F::Refused("no [2J card".into()));
        unwraps("-> error internal\nbm8\n-> done\n\n", F::Refused("no".into()));
        unwraps(
            "-> file-key 0\nAAAA\n-> done\n\n",
            F::Garbled("a file key of a wrong length"),
        );
        let unasked = F::Garbled("a file key that was not asked for");
        unwraps(&format!("-> file-key 1\n{KEY_TEXT}\n"), unasked.clone());
        unwraps(&format!("-> file-key 0\n{KEY_TEXT}\n").repeat(2), unasked);
        let ask = "-> request-secret\nUElO\n";
        unwraps(ask, F::NobodyAsked);
        wraps(ask, F::NobodyAsked);
        let host = Scripted::program(ask).answering(&[Err(Error::NoTerminal)]);
        let error = recipient().wrap(&host, &file_key()).unwrap_err();
        assert!(
            matches!(
                error,
                Error::Plugin {
                    fault: F::NoTerminal,
                    ..
                }
            ),
            "{error}"
        );
    }

    #[test]
    fn wrapping() {
        let host = Scripted::program(
            "-> labels a b\n\n-> msg\nSGk\n-> grease-x y\n\n-> recipient-stanza 0 mirror a b\nAQI\n-> recipient-stanza 0 second\n\n-> done\n\n",
        );
        let stanzas = recipient().wrap(&host, &file_key()).unwrap();
        let [first, second] = &stanzas[..] else {
            panic!("{stanzas:?}")
        };
        assert_eq!((first.tag.as_str(), first.body.as_slice()), ("mirror", &[1, 2][..]));
        assert_eq!(first.args, ["a", "b"]);
        assert_eq!(
            (second.tag.as_str(), second.args.len(), second.body.len()),
            ("second", 0, 0)
        );
        assert_eq!(
            host.sent(),
            format!(
                "-> add-recipient age1mirror1qyen8ku8\n\n-> extension-labels\n\n-> wrap-file-key\n{KEY_TEXT}\n-> done\n\n\
                 -> ok\n\n-> ok\n\n-> unsupported\n\n-> ok\n\n-> ok\n\n"
            )
        );
        assert_eq!(host.heard(), ["mirror tells Hi"]);
        assert!(*host.finished.lock().unwrap());
    }

    #[test]
    fn unwrapping() {
        let host = Scripted::program(&format!(
            "-> error stanza 0 0\nbm8\n-> file-key 0\n{KEY_TEXT}\n-> done\n\n"
        ));
        // 48 bytes fill a line, 96 fill two.
        let key = identity()
            .unwrap(&host, &[stanza(0), stanza(48), stanza(50)])
            .unwrap()
            .unwrap();
        assert_eq!(*key.expose_secret(), FILE_KEY);
        let full = "A".repeat(64);
        let head = "-> recipient-stanza 0 mirror a b\n";
        assert_eq!(
            host.sent(),
            format!(
                "-> add-identity AGE-PLUGIN-MIRROR-1QYRZU7V8\n\n{head}\n{head}{full}\n\n{head}{full}\nAAA\n-> done\n\n\
                 -> ok\n\n-> ok\n\n"
            )
        );
        let none = identity()
            .unwrap(&Scripted::program("-> done\n\n"), &[stanza(0)])
            .unwrap();
        assert!(none.is_none());
    }

    #[test]
    fn questions() {
        let says = format!(
            "-> request-public\nTmFtZQ\n-> request-secret\nUElO\n-> confirm eWVz bm8\nU3VyZQ\n-> confirm eWVz\nU3VyZQ\n\
             -> request-secret\nUElO\n-> file-key 0\n{KEY_TEXT}\n-> done\n\n"
        );
        let answers = [Ok("me"), Ok("1234"), Ok("no"), Ok("yes"), Err(Error::Unanswered)];
        let host = Scripted::program(&says).answering(&answers);
        assert!(identity().unwrap(&host, &[]).unwrap().is_some());
        assert_eq!(
            host.heard(),
            [
                "mirror asks Name",
                "mirror asks secretly PIN",
                "mirror asks Sure yes Some(\"no\")",
                "mirror asks Sure yes None",
                "mirror asks secretly PIN"
            ]
        );
        let replies = "-> done\n\n-> ok\nbWU\n-> ok\nMTIzNA\n-> ok no\n\n-> ok yes\n\n-> fail\n\n-> ok\n\n";
        assert!(host.sent().ends_with(replies), "{}", host.sent());
    }
}
