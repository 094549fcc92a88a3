//! OAuth 1.0a (RFC 5849) with `HMAC-SHA1`, for a client that already has its tokens.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use url::{Position, Url};

use crate::crypto::hmac::hmac;
use crate::text::percent::encoded;

/// The credentials of the app and of the account it acts for.
pub(crate) struct Credentials {
    pub(crate) consumer_key: String,
    pub(crate) consumer_secret: SecretString,
    pub(crate) token: SecretString,
    pub(crate) token_secret: SecretString,
}

impl Credentials {
    /// Returns the value of `Authorization` for a request whose body is not a form.
    ///
    /// * `nonce` - letters and digits, different for each request within one second.
    /// * `seconds` - the time since 1970.
    pub(crate) fn header(&self, method: &str, url: &Url, nonce: &str, seconds: i64) -> HeaderValue {
        let timestamp = seconds.to_string();
        let fields = [
            ("oauth_consumer_key", &*self.consumer_key),
            ("oauth_nonce", nonce),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", &timestamp),
            ("oauth_token", self.token.expose_secret()),
            ("oauth_version", "1.0"),
        ];
        let signature = self.signature(method, url, &fields);
        let signed = fields.into_iter().chain([("oauth_signature", &*signature)]);
        let pairs = signed.map(|(name, value)| format!("{name}=\"{}\"", encoded(value)));
        let pairs: Vec<_> = pairs.collect();
        let value = HeaderValue::try_from(format!("OAuth {}", pairs.join(", ")));
        let mut value = value.expect("percent-encoded text is plain ASCII");
        value.set_sensitive(true);
        value
    }

    /// Returns the signature of the method, the URL with its query, and these fields (section 3.4).
    fn signature(&self, method: &str, url: &Url, fields: &[(&str, &str)]) -> String {
        let of_url = url.query_pairs();
        let of_url = of_url.map(|(name, value)| (encoded(&name), encoded(&value)));
        let own = fields.iter();
        let own = own.map(|(name, value)| (encoded(name), encoded(value)));
        let mut parameters: Vec<_> = of_url.chain(own).collect();
        parameters.sort();
        let parameters = parameters
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"));
        let parameters: Vec<_> = parameters.collect();
        let base = [method, &url[..Position::AfterPath], &parameters.join("&")].map(encoded);
        let key = [&self.consumer_secret, &self.token_secret];
        let key = key.map(|secret| encoded(secret.expose_secret()));
        let code = hmac::<Sha1>(key.join("&").as_bytes(), base.join("&").as_bytes());
        BASE64_STANDARD.encode(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE: &str = "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg";

    /// The sample credentials of the vendor's guide "Creating a signature".
    fn credentials() -> Credentials {
        Credentials {
            consumer_key: "xvz1evFS4wEEPTGEFPHBog".into(),
            consumer_secret: "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw".into(),
            token: "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb".into(),
            token_secret: "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE".into(),
        }
    }

    fn signature(url: &str) -> String {
        let url = Url::parse(url).unwrap();
        let header = credentials().header("POST", &url, NONCE, 1_318_622_958);
        assert!(header.is_sensitive());
        let header = header.to_str().unwrap().to_owned();
        let (_, rest) = header.split_once("oauth_signature=\"").unwrap();
        rest.trim_end_matches('"').to_owned()
    }

    /// The guide's own vector. Its form parameters are in the query here, which makes no difference.
    #[test]
    fn signs_the_guides_request_as_documented() {
        let url = "https://api.x.com/1.1/statuses/update.json?include_entities=true\
             &status=Hello%20Ladies%20%2B%20Gentlemen%2C%20a%20signed%20OAuth%20request!";
        assert_eq!(signature(url), "Ls93hJiZbQ3akF3HF3x1Bz8%2FzU4%3D");
    }

    #[test]
    fn signature_ignores_a_json_body() {
        let url = "https://api.x.com/2/dm_conversations/with/2244994945/messages";
        assert_eq!(signature(url), "tz7orAMw3zVHLJU3DU08LTqdlRE%3D");
    }
}
