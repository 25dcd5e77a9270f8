//! Images: which are there, and pulling one by its digest.

use std::collections::BTreeSet;

use holm_core::model::Image;
use hyper::{Method, StatusCode};
use serde::Deserialize;
use tokio::time::timeout;

use super::{Podman, absent};
use crate::{
    HostError,
    linux::http::{Fault, Lines, encode},
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    repo_digests: Option<Vec<String>>,
}

/// A line of a pull. Only its error matters.
#[derive(Deserialize)]
struct Progress {
    #[serde(default)]
    error: String,
    /// What an answer that is no 200 has in its place.
    #[serde(default)]
    message: String,
}

impl Podman {
    /// What is there, each as `repository@digest` without a tag. Images that no manifest could name (local
    /// builds) are left out.
    pub async fn images(&self) -> Result<BTreeSet<Image>, HostError> {
        let listed: Option<Vec<Listed>> = self.get("list Podman's images", "/images/json").await?;
        let digests = listed
            .unwrap_or_default()
            .into_iter()
            .flat_map(|image| image.repo_digests)
            .flatten();
        Ok(digests.filter_map(|digest| digest.parse().ok()).collect())
    }

    pub async fn pull(&self, image: &Image) -> Result<(), HostError> {
        let pinned = image.pinned();
        let tried = format!("pull {image}");
        let failed = |why: String| {
            HostError::new(
                &tried,
                why,
                format!("It is tried again; to see more, run `podman pull {pinned}` as this user"),
            )
        };
        // Docker's form of progress: it says something several times a second, so that silence means a
        // registry that hangs; Podman's own form is silent while a large layer comes in.
        let path = format!(
            "/v5.0.0/libpod/images/pull?policy=missing&compatMode=true&reference={}",
            encode(&pinned)
        );
        let all = async {
            let (status, lines) = match self.begin_pull(&path).await {
                Ok(begun) => begun,
                Err(Fault::Late(_)) => return Err(failed(self.silence())),
                Err(fault) => return Err(absent(&tried, &fault)),
            };
            self.follow_pull(lines, status).await.map_err(failed)
        };
        timeout(self.limits.whole_pull, all)
            .await
            .unwrap_or_else(|_| Err(failed(format!("not done in {:?}", self.limits.whole_pull))))?;
        // An answer that merely ended is no proof.
        let there = format!("/images/{}/exists", encode(&pinned));
        if self.exists(&tried, &there).await? {
            Ok(())
        } else {
            Err(failed(
                "Podman reported success, but the image is not there".into(),
            ))
        }
    }

    fn silence(&self) -> String {
        format!("nothing came from the registry for {:?}", self.limits.quiet_pull)
    }

    /// The head of the answer comes with the first progress, so it may take longer than other calls.
    async fn begin_pull(&self, path: &str) -> Result<(StatusCode, Lines), Fault> {
        let mut patient = self.client.clone();
        patient.deadline = self.limits.quiet_pull;
        patient.stream(Method::POST, path).await
    }

    async fn follow_pull(&self, mut lines: Lines, status: StatusCode) -> Result<(), String> {
        let mut last = String::new();
        loop {
            let line = match timeout(self.limits.quiet_pull, lines.next()).await {
                Err(_) => return Err(self.silence()),
                Ok(Err(fault)) => return Err(fault.to_string()),
                Ok(Ok(None)) if status.is_success() => return Ok(()),
                Ok(Ok(None)) => return Err(format!("Podman answered {status}: {last}")),
                Ok(Ok(Some(line))) => line,
            };
            if let Ok(Progress { error, message }) = serde_json::from_slice(&line) {
                if !error.is_empty() {
                    return Err(error);
                }
                if !status.is_success() && !message.is_empty() {
                    return Err(message);
                }
            }
            last = String::from_utf8_lossy(&line).chars().take(400).collect();
        }
    }
}
