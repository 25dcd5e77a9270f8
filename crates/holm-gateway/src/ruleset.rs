//! Loading packet policy: the port to the kernel.

use std::{future::Future, path::PathBuf, process::Stdio, time::Duration};

use tokio::{io::AsyncWriteExt, time::timeout};

/// Loads a whole policy, or leaves the one before untouched.
pub trait Ruleset: Send + Sync + 'static {
    /// `text` is what `nft -f -` reads: one transaction.
    fn load(&self, text: &str) -> impl Future<Output = Result<(), RulesetError>> + Send;
}

/// The policy was not loaded; the one before is still in force.
#[derive(Debug, thiserror::Error)]
pub enum RulesetError {
    /// The program could not be started or spoken to.
    #[error("nft could not be run: {0}")]
    Run(#[from] std::io::Error),
    /// It did not end in time and was killed.
    #[error("nft did not end within {} s", LIMIT.as_secs())]
    Slow,
    /// It refused the text.
    #[error("nft refused the policy ({status}): {stderr}")]
    Refused {
        /// How it ended.
        status: std::process::ExitStatus,
        /// What it said, shortened.
        stderr: String,
    },
}

/// The largest policy measured takes under a second; a hanging program must not hang every later change.
const LIMIT: Duration = Duration::from_secs(20);

/// The real one: the program `nft`.
#[derive(Debug, Clone)]
pub struct Nft {
    /// Path of the program.
    pub program: PathBuf,
}

impl Ruleset for Nft {
    async fn load(&self, text: &str) -> Result<(), RulesetError> {
        timeout(LIMIT, self.run(text))
            .await
            .map_err(|_| RulesetError::Slow)?
    }
}

impl Nft {
    #[expect(
        clippy::disallowed_methods,
        reason = "the gateway's one port to another program: nft speaks to the kernel for it"
    )]
    async fn run(&self, text: &str) -> Result<(), RulesetError> {
        let mut child = tokio::process::Command::new(&self.program)
            .args(["-f", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let written = match child.stdin.take() {
            Some(mut stdin) => stdin.write_all(text.as_bytes()).await,
            None => Ok(()),
        };
        let output = child.wait_with_output().await?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr)
                .trim()
                .chars()
                .take(2000)
                .collect();
            return Err(RulesetError::Refused {
                status: output.status,
                stderr,
            });
        }
        // A program that ends well without having read all of it has not loaded all of it.
        Ok(written?)
    }
}
