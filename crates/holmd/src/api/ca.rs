//! `GET /api/ca`: the certificate that people's devices are to trust.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use sha2::{Digest as _, Sha256};

use super::{App, Fault};

/// The root certificate as PEM.
pub(super) async fn ca(State(app): State<App>) -> Result<impl IntoResponse, Fault> {
    let pem = app.outside.ca_certificate().await?.ok_or_else(|| {
        let title = "the cell has no certificate yet: the edge makes it at its first start";
        Fault::new(
            StatusCode::NOT_FOUND,
            "no-ca",
            title,
            "type `holm status` to see how far it is",
        )
    })?;
    Ok(([(header::CONTENT_TYPE, "application/x-pem-file")], pem))
}

/// SHA-256 of the certificate itself, as browsers show it: lower-case hex pairs joined by `:`.
pub(super) fn fingerprint(pem: &str) -> Option<String> {
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
    let pairs: Vec<String> = Sha256::digest(&der)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Some(pairs.join(":"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_of_the_bytes_and_not_of_the_text() {
        // Base64 of "holm"; `printf holm | sha256sum` gives the same.
        let pem = "-----BEGIN CERTIFICATE-----\naG9sbQ==\n-----END CERTIFICATE-----\n";
        let print = fingerprint(pem).unwrap();
        assert_eq!(print.split(':').count(), 32);
        assert_eq!(
            print.replace(':', ""),
            "84e652f08767e20de0751333973678b66cabd8ba6d5ae1015d3df79ee332423d"
        );
        assert_eq!(fingerprint("no certificate"), None);
    }
}
