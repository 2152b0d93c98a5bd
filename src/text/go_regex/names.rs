//! Names that Go knows for classes: general categories, scripts, POSIX.
//!
//! The engine knows more (`\p{Alphabetic}`, `\p{Emoji}`, short names of scripts); SOPS rejects those, so they are
//! looked up here first. Names compare without case, blanks, `_` and `-`.

/// POSIX classes, as in `[[:alpha:]]`.
pub(super) const POSIX: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "word",
    "xdigit",
];

/// What a property name stands for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Property {
    /// The engine's qualifier (`gc=`, `sc=` or none) and name.
    Named(&'static str, &'static str),
    /// Surrogate code points, which text never holds and the engine has no name for.
    Surrogates,
}

/// Looks up a name between the braces of `\p{…}`.
pub(super) fn property(name: &str) -> Option<Property> {
    if is(name, "Cs") || is(name, "Surrogate") {
        return Some(Property::Surrogates);
    }
    let find = |list: &'static str| list.split_ascii_whitespace().find(|known| is(name, known));
    let own = find(ANY).map(|name| Property::Named("", name));
    own.or_else(|| find(CATEGORIES).map(|name| Property::Named("gc=", name)))
        .or_else(|| find(SCRIPTS).map(|name| Property::Named("sc=", name)))
}

/// Every name of categories and scripts.
#[cfg(test)]
pub(super) fn all() -> impl Iterator<Item = &'static str> {
    [ANY, CATEGORIES, SCRIPTS]
        .into_iter()
        .flat_map(str::split_ascii_whitespace)
}

fn is(name: &str, known: &str) -> bool {
    let plain = |b: &u8| !matches!(b, b'_' | b'-' | b' ');
    let (ours, theirs) = (
        name.as_bytes().iter().filter(|b| plain(b)),
        known.as_bytes().iter().filter(|b| plain(b)),
    );
    ours.map(u8::to_ascii_lowercase).eq(theirs.map(u8::to_ascii_lowercase))
}

const ANY: &str = "Any ASCII Assigned";

/// General categories and their long names.
const CATEGORIES: &str = "
    C Cc Cf Cn Co L LC Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi Po Ps S Sc Sk Sm So Z Zl Zp Zs
    Cased_Letter Close_Punctuation Combining_Mark Connector_Punctuation Control Currency_Symbol Dash_Punctuation
    Decimal_Number Enclosing_Mark Final_Punctuation Format Initial_Punctuation Letter Letter_Number
    Line_Separator Lowercase_Letter Mark Math_Symbol Modifier_Letter Modifier_Symbol Nonspacing_Mark Number
    Open_Punctuation Other Other_Letter Other_Number Other_Punctuation Other_Symbol Paragraph_Separator
    Private_Use Punctuation Separator Space_Separator Spacing_Mark Symbol Titlecase_Letter Unassigned
    Uppercase_Letter cntrl digit punct
";

/// Scripts of Unicode 15, the version of Go 1.21 to 1.26.
const SCRIPTS: &str = "
    Adlam Ahom Anatolian_Hieroglyphs Arabic Armenian Avestan Balinese Bamum Bassa_Vah Batak Bengali Bhaiksuki
    Bopomofo Brahmi Braille Buginese Buhid Canadian_Aboriginal Carian Caucasian_Albanian Chakma Cham Cherokee
    Chorasmian Common Coptic Cuneiform Cypriot Cypro_Minoan Cyrillic Deseret Devanagari Dives_Akuru Dogra
    Duployan Egyptian_Hieroglyphs Elbasan Elymaic Ethiopic Georgian Glagolitic Gothic Grantha Greek Gujarati
    Gunjala_Gondi Gurmukhi Han Hangul Hanifi_Rohingya Hanunoo Hatran Hebrew Hiragana Imperial_Aramaic Inherited
    Inscriptional_Pahlavi Inscriptional_Parthian Javanese Kaithi Kannada Katakana Kawi Kayah_Li Kharoshthi
    Khitan_Small_Script Khmer Khojki Khudawadi Lao Latin Lepcha Limbu Linear_A Linear_B Lisu Lycian Lydian
    Mahajani Makasar Malayalam Mandaic Manichaean Marchen Masaram_Gondi Medefaidrin Meetei_Mayek Mende_Kikakui
    Meroitic_Cursive Meroitic_Hieroglyphs Miao Modi Mongolian Mro Multani Myanmar Nabataean Nag_Mundari
    Nandinagari New_Tai_Lue Newa Nko Nushu Nyiakeng_Puachue_Hmong Ogham Ol_Chiki Old_Hungarian Old_Italic
    Old_North_Arabian Old_Permic Old_Persian Old_Sogdian Old_South_Arabian Old_Turkic Old_Uyghur Oriya Osage
    Osmanya Pahawh_Hmong Palmyrene Pau_Cin_Hau Phags_Pa Phoenician Psalter_Pahlavi Rejang Runic Samaritan
    Saurashtra Sharada Shavian Siddham SignWriting Sinhala Sogdian Sora_Sompeng Soyombo Sundanese Syloti_Nagri
    Syriac Tagalog Tagbanwa Tai_Le Tai_Tham Tai_Viet Takri Tamil Tangsa Tangut Telugu Thaana Thai Tibetan
    Tifinagh Tirhuta Toto Ugaritic Vai Vithkuqi Wancho Warang_Citi Yezidi Yi Zanabazar_Square
";
