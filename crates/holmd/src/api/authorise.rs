//! Who may ask: root, the daemon's own user, and members of the admins' group, as the kernel names the peer.

use std::ffi::CString;

use axum::{
    extract::{ConnectInfo, Request, State, connect_info::Connected},
    http::StatusCode,
    middleware::Next,
    response::Response,
    serve::IncomingStream,
};
use nix::unistd::{Gid, Group, Uid, User, getgrouplist};
use tokio::net::UnixListener;

use super::{App, Fault, blocking};

/// The group whose members are admins.
const GROUP: &str = "holm-admin";

/// Who may ask.
#[derive(Debug, Clone)]
pub struct Admins {
    pub(super) own: u32,
    pub(super) group: &'static str,
}

/// Who is at the other end of the connection: the kernel's word from the moment it was made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(Option<u32>);

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        Self(stream.io().peer_cred().ok().map(|peer| peer.uid()))
    }
}

impl Admins {
    /// Root, the user of this process, and the group `holm-admin`.
    pub fn of_this_process() -> Self {
        Self {
            own: Uid::effective().as_raw(),
            group: GROUP,
        }
    }

    /// Whether a peer may ask. The groups come from the user database, by the peer's user: those in
    /// `/proc/<pid>` could be of another process by the time they are read.
    fn allow(&self, uid: u32) -> Result<bool, nix::Error> {
        if uid == 0 || uid == self.own {
            return Ok(true);
        }
        let Some(group) = Group::from_name(self.group)? else {
            return Ok(false);
        };
        let Some(user) = User::from_uid(Uid::from_raw(uid))? else {
            return Ok(false);
        };
        let Ok(name) = CString::new(user.name) else {
            return Ok(false);
        };
        let groups: Vec<Gid> = getgrouplist(&name, user.gid)?;
        Ok(groups.contains(&group.gid))
    }
}

/// Lets a request through when its peer is an admin.
pub(super) async fn authorise(
    State(app): State<App>,
    ConnectInfo(Peer(uid)): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Result<Response, Fault> {
    let admins = app.admins.clone();
    let allowed = match uid {
        Some(uid) => blocking(move || admins.allow(uid)).await?,
        None => Ok(false),
    };
    let allowed = allowed.map_err(|error| {
        Fault::failed(format!(
            "the groups of the one who asks could not be looked up: {error}"
        ))
    })?;
    if allowed {
        return Ok(next.run(request).await);
    }
    let title = "only root, the user holm and members of the group holm-admin may ask holmd";
    let detail = "let an administrator type `adduser YOU holm-admin`, then sign in again";
    Err(Fault::new(StatusCode::FORBIDDEN, "not-admin", title, detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_and_the_own_user_may_and_a_stranger_may_not() {
        let admins = Admins {
            own: 4242,
            group: "holm-test-no-such-group",
        };
        for (uid, may) in [
            (0, true),
            (4242, true),
            (4243, false),
            (65534, false),
            (u32::MAX, false),
        ] {
            assert_eq!(admins.allow(uid), Ok(may), "{uid}");
        }
    }

    #[test]
    fn members_of_the_group_may_by_the_user_database() {
        // In every base system, user daemon has the group daemon, and nobody has not.
        let admins = Admins {
            own: 4242,
            group: "daemon",
        };
        assert_eq!(admins.allow(1), Ok(true));
        assert_eq!(admins.allow(65534), Ok(false));
        // Not in the database at all: no group can be known.
        assert_eq!(admins.allow(3_999_999), Ok(false));
    }
}
