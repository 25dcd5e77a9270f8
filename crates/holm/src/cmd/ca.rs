//! `holm ca`

use crate::{Failure, Run, print};

/// Prints the certificate that devices are to trust.
pub(super) async fn ca(run: &mut Run<'_, '_>) -> Result<(), Failure> {
    let pem = run.client.text("/api/ca").await?;
    if run.json {
        return print::json(run, &std::collections::BTreeMap::from([("pem", pem)]));
    }
    Ok(write!(run.terminal.out, "{pem}")?)
}
