//! Validation of ID tokens.

use std::time::UNIX_EPOCH;

use openidconnect::core::{
    CoreGenderClaim, CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm,
    CoreTokenType,
};
use openidconnect::{
    AccessToken, AccessTokenHash, ClaimsVerificationError, ClientId, EmptyExtraTokenFields,
    IdToken, IdTokenClaims, IdTokenFields, IdTokenVerifier, IssuerUrl, Nonce,
    SignatureVerificationError, StandardTokenResponse,
};
use redflash_core::clock::Timestamp;
use serde_json::Value;

use crate::oidc::claims::{Claims, OtherClaims};
use crate::oidc::error::OidcError;

type Token = IdToken<
    OtherClaims,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type Fields = IdTokenFields<
    OtherClaims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

/// The token response of the provider.
pub(super) type Tokens = StandardTokenResponse<Fields, CoreTokenType>;

/// Asymmetric signatures alone, which only the provider can make.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// The values that a token has to match.
#[derive(Debug)]
pub(super) struct ExpectedToken<'a> {
    pub(super) issuer: &'a IssuerUrl,
    pub(super) client_id: &'a ClientId,
    pub(super) nonce: &'a Nonce,
    pub(super) access_token: &'a AccessToken,
    pub(super) now: Timestamp,
}

/// The reason why a token is not valid.
#[derive(Debug)]
pub(super) enum TokenError {
    /// None of the known keys has signed it. The provider may have rotated its keys.
    Key,
    /// A claim is wrong or missing.
    Wrong(String),
}

impl From<TokenError> for OidcError {
    fn from(error: TokenError) -> Self {
        Self::Untrusted(match error {
            TokenError::Key => "no key of the provider has signed its ID token".to_owned(),
            TokenError::Wrong(reason) => format!("the ID token is not valid: {reason}"),
        })
    }
}

impl From<ClaimsVerificationError> for TokenError {
    fn from(error: ClaimsVerificationError) -> Self {
        use SignatureVerificationError as Signature;
        let reason = match error {
            ClaimsVerificationError::SignatureVerification(
                Signature::NoMatchingKey | Signature::CryptoError(_),
            ) => return Self::Key,
            ClaimsVerificationError::SignatureVerification(Signature::NoSignature) => {
                "it is not signed".to_owned()
            }
            ClaimsVerificationError::SignatureVerification(error) => error.to_string(),
            ClaimsVerificationError::InvalidNonce(_) => {
                "its nonce belongs to another login".to_owned()
            }
            error => error.to_string(),
        };
        Self::Wrong(reason)
    }
}

/// Validates a token: signature, issuer, audience, authorized party, expiry, nonce and the hash of the
/// access token. Returns the subject and all claims.
///
/// # Errors
///
/// * [`TokenError::Key`] - none of the keys has signed it.
/// * [`TokenError::Wrong`] - a claim is wrong or missing, whatever the keys.
pub(super) fn check(
    token: &Token,
    keys: &CoreJsonWebKeySet,
    expected: &ExpectedToken<'_>,
) -> Result<(String, Claims), TokenError> {
    let now = UNIX_EPOCH + expected.now.since(Timestamp::default());
    let verifier = IdTokenVerifier::new_public_client(
        expected.client_id.clone(),
        expected.issuer.clone(),
        keys.clone(),
    )
    .set_allowed_algs(ALGORITHMS)
    // Some providers list several audiences; then the authorized party counts.
    .set_other_audience_verifier_fn(|_| true)
    .set_time_fn(move || now.into());
    let claims = token.claims(&verifier, expected.nonce)?;
    check_party(claims, expected.client_id)?;
    if let Some(hash) = claims.access_token_hash() {
        let wrong = || TokenError::Wrong("its at_hash does not match the access token".to_owned());
        let algorithm = token.signing_alg().map_err(|_| wrong())?;
        let key = token.signing_key(&verifier).map_err(|_| wrong())?;
        let own = AccessTokenHash::from_token(expected.access_token, algorithm, key);
        if own.map_err(|_| wrong())? != *hash {
            return Err(wrong());
        }
    }
    let subject = claims.subject().to_string();
    match serde_json::to_value(claims) {
        Ok(Value::Object(all)) => Ok((subject, Claims::new(all))),
        _ => Err(TokenError::Wrong(
            "its claims are not a JSON object".to_owned(),
        )),
    }
}

fn check_party(
    claims: &IdTokenClaims<OtherClaims, CoreGenderClaim>,
    client_id: &ClientId,
) -> Result<(), TokenError> {
    let reason = match claims.authorized_party() {
        Some(party) if party == client_id => return Ok(()),
        Some(_) => "it was issued to another party than this client_id",
        None if claims.audiences().len() == 1 => return Ok(()),
        None => "it has several audiences and no azp",
    };
    Err(TokenError::Wrong(reason.to_owned()))
}
