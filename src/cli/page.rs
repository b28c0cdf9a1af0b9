//! The page that an administrator hands to a new user: the QR code, the key, the recovery codes, and what to do.
//!
//! HTML that is whole in itself and asks nobody for anything, so that any browser shows and prints it. It holds
//! secrets, so it wipes itself, and its room is reserved before it is filled.

use std::fmt::{self, Write as _};

use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use super::error::Error;
use super::qr::Code;
use crate::credential::{CodeParameters, KeyName, Kind};

/// What stands before the name of the device's key, by which the page is known again, and after it.
const MARK: &str = "<!doctype html>\n<!-- countersign: the page of device ";
const MARK_END: &str = " -->\n";
/// The longest beginning of a page, in bytes.
pub(super) const LONGEST_MARK: u64 = 128;
/// What all is at most beside the drawing and the texts, in bytes.
const ROOM: usize = 8192;
/// What a letter becomes at most where it is escaped, in bytes.
const MOST_ESCAPED: usize = 6;

const HEAD: &str = "<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">
<meta name=\"viewport\" content=\"width=device-width\">
<style>
body { max-width: 42em; margin: 0 auto; padding: 0 1em; font: 10.5pt/1.3 sans-serif; color: #000; background: #fff }
h1 { font-size: 14pt }
svg { display: block; width: 6cm; height: 6cm }
code { font: 10.5pt monospace }
pre { font: 9pt/1.25 monospace; white-space: pre-wrap }
.secret { border: 2pt solid; padding: 0 1em }
hr { border: 0; border-top: 1pt dashed; margin: 1em 0 }
@page { margin: 1.5cm }
</style>
";
const SECRET: &str = "<div class=\"secret\">
<p><strong>This page is a secret.</strong> Whoever has seen it can make your codes, as a copy of your key opens your
door. If it did not come to you closed, tell your administrator at once and do not use it.</p>
</div>
<ol>
<li>Open an authenticator app on your phone, add an account, and scan this:
";
const THEN: &str = "<li>Log in soon. You are asked for a verification code: type the one that the app shows. Each is good once.</li>
<li>Cut the page here. Destroy the upper part; nobody needs it again.</li>
</ol>
<hr>
<pre>
";
const END: &str = "</pre>
</body>
</html>
";

/// What a page says.
pub(super) struct Page<'a> {
    /// The device.
    pub(super) device: KeyName,
    /// How its codes are made.
    pub(super) parameters: CodeParameters,
    /// Whose it is.
    pub(super) account: &'a str,
    /// Who issues the codes.
    pub(super) issuer: &'a str,
    /// Where it is to be sent, if that is known.
    pub(super) address: Option<&'a str>,
    /// What the QR code says.
    pub(super) uri: &'a str,
    /// The secret for typing in.
    pub(super) key: &'a str,
    /// The page of recovery codes.
    pub(super) recovery: &'a str,
}

impl Page<'_> {
    /// The text of the page.
    pub(super) fn to_html(&self) -> Result<Zeroizing<String>, Error> {
        let code = Code::of(self.uri).ok_or(Error::LongUri)?.to_svg_element();
        let texts = [self.account, self.account, self.issuer, self.issuer, self.key, self.recovery];
        let texts = texts.iter().chain(&self.address).map(|text| text.len()).sum::<usize>();
        let mut page = Zeroizing::new(String::with_capacity(ROOM + code.len() + texts * MOST_ESCAPED));
        let _ = self.write(&mut page, &code);
        Ok(page)
    }

    fn write(&self, page: &mut String, code: &str) -> fmt::Result {
        let (account, issuer) = (Escaped(self.account), Escaped(self.issuer));
        write!(page, "{MARK}{}{MARK_END}{HEAD}", HEXLOWER.encode(&self.device.0))?;
        writeln!(page, "<title>Login codes of {account} on {issuer}</title>\n</head>\n<body>")?;
        writeln!(page, "<h1>Login codes of {account} on {issuer}</h1>")?;
        if let Some(address) = self.address {
            writeln!(page, "<p>To: {}</p>", Escaped(address))?;
        }
        write!(page, "{SECRET}{code}or type in this key: <code>{}</code>", Escaped(self.key))?;
        self.write_parameters(page)?;
        write!(page, "</li>\n{THEN}{}{END}", Escaped(self.recovery))
    }

    /// What an app must be told by whoever types the key, where it is not what every app takes as given.
    fn write_parameters(&self, page: &mut String) -> fmt::Result {
        let CodeParameters { kind, algorithm, digits } = self.parameters;
        match kind {
            Kind::Totp(period) if self.parameters != CodeParameters::default() => {
                let (digits, seconds) = (digits.number(), period.seconds());
                write!(page, " ({algorithm}, {digits} digits, every {seconds} seconds)")
            }
            _ => Ok(()),
        }
    }
}

/// The device whose page begins so; none where it is no page of ours.
pub(super) fn device_of(start: &[u8]) -> Option<KeyName> {
    let name = start.strip_prefix(MARK.as_bytes())?;
    let (name, after) = name.split_first_chunk::<16>()?;
    let name = HEXLOWER.decode(name).ok()?.try_into().ok()?;
    after.starts_with(MARK_END.as_bytes()).then_some(KeyName(name))
}

/// Text that is no more than text to a browser.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '&' => out.write_str("&amp;")?,
                '<' => out.write_str("&lt;")?,
                '>' => out.write_str("&gt;")?,
                '"' => out.write_str("&quot;")?,
                '\'' => out.write_str("&#39;")?,
                other => out.write_char(other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVICE: KeyName = KeyName([0, 1, 2, 3, 0xab, 0xcd, 0xef, 0xff]);

    fn page<'a>(account: &'a str, uri: &'a str) -> Page<'a> {
        Page {
            device: DEVICE,
            parameters: CodeParameters::default(),
            account,
            issuer: "web1",
            address: Some("<a@b>"),
            uri,
            key: "AEBA GBAF",
            recovery: "codes of 'a' & \"b\"\n",
        }
    }

    #[test]
    fn a_page_is_known_again_by_its_device_and_nothing_else_is() {
        let text = page("alice", "otpauth://x").to_html().unwrap();
        assert_eq!(device_of(&text.as_bytes()[..usize::try_from(LONGEST_MARK).unwrap()]), Some(DEVICE));
        let (cut, shifted, capitals) =
            (&text.as_bytes()[..70], &text.as_bytes()[1..], text.replacen("ab", "AB", 1));
        for other in [b"", &b"hers"[..], MARK.as_bytes(), cut, shifted, capitals.as_bytes()] {
            assert_eq!(device_of(other), None, "{:?}", other.get(..80));
        }
    }

    #[test]
    fn no_name_is_more_than_text() {
        let text = page("</title><script>", "otpauth://x").to_html().unwrap();
        assert!(!text.contains("<script") && text.contains("codes of &lt;/title&gt;&lt;script&gt; on web1"));
        assert!(text.contains("<p>To: &lt;a@b&gt;</p>"));
        assert!(text.contains("codes of &#39;a&#39; &amp; &quot;b&quot;\n</pre>"));
    }

    #[test]
    fn the_room_for_the_largest_page_is_reserved() {
        let (account, uri) = ("'".repeat(255), "x".repeat(2953));
        let text = page(&account, &uri).to_html().unwrap();
        let code = Code::of(&uri).unwrap().to_svg_element();
        assert!(text.len() < ROOM + code.len() + 255 * 2 * MOST_ESCAPED, "{}", text.len());
        assert!(HEAD.len() + SECRET.len() + THEN.len() + END.len() + 1024 < ROOM);
    }
}
