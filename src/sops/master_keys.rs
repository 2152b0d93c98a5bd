//! A plain file with the `sops` block of its sealed form beside it, for people who want to see both; and the block taken out
//! again.

use zeroize::Zeroizing;

use super::error::Error;
use super::metadata::Metadata;
use super::placement;
use super::sealed::parse_document;
use crate::document::Format;
use crate::document::edit::{Edit, apply};

/// The plain text with the block.
///
/// # Errors
/// [`Error::Inexpressible`] for a file of any bytes, which has no place for it; else as for reading the text.
pub fn show(format: Format, plain: &[u8], metadata: &Metadata) -> Result<Zeroizing<Vec<u8>>, Error> {
    if format == Format::Binary || metadata.draft {
        return Err(Error::Inexpressible {
            what: "the metadata beside plain content",
            format: Format::Binary.name(),
        });
    }
    let document = parse_document(format, std::str::from_utf8(plain).map_err(|_| Error::NotUtf8)?)?;
    Ok(bytes(&document, placement::insert(&document, &metadata.to_node())))
}

/// The text without the block.
///
/// # Errors
/// As for reading the text.
pub fn strip(format: Format, text: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let document = parse_document(format, std::str::from_utf8(text).map_err(|_| Error::NotUtf8)?)?;
    let entries = placement::entries(&document);
    let edits = entries
        .iter()
        .map(|entry| Edit::new(placement::extent(&document, entry), ""));
    Ok(bytes(&document, edits.collect()))
}

fn bytes(document: &crate::document::Document<'_>, edits: Vec<Edit>) -> Zeroizing<Vec<u8>> {
    let mut text = apply(document.text, edits).text;
    Zeroizing::new(std::mem::take(&mut *text).into_bytes())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails here has failed")]
    use super::*;

    #[test]
    fn what_is_shown_is_taken_out_again() {
        let metadata = Metadata {
            last_modified: "2026-01-02T03:04:05Z".to_owned(),
            version: "3.13.2".to_owned(),
            ..Metadata::default()
        };
        for (format, text) in [
            (Format::Yaml, "a: 1\n"),
            (Format::Yaml, "# c\na: 1\n---\nb: 2"),
            (Format::Json, "{\n  \"a\": 1\n}\n"),
            (Format::Json, "{}"),
        ] {
            let shown = show(format, text.as_bytes(), &metadata).unwrap();
            assert!(
                String::from_utf8_lossy(&shown).contains("2026-01-02T03:04:05Z"),
                "{text}"
            );
            assert_eq!(strip(format, &shown).unwrap().as_slice(), text.as_bytes());
            assert_eq!(strip(format, text.as_bytes()).unwrap().as_slice(), text.as_bytes());
        }
        assert!(show(Format::Binary, b"x", &metadata).is_err());
    }
}
