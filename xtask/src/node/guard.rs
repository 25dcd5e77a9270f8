//! Nodes that end with the test that made them, also when the test is killed.

use super::bench::{Bench, CreateOptions, Node};
use anyhow::Result;
use std::ops::Deref;

/// A node that is destroyed when this is dropped, unless it was to be kept.
#[derive(Debug)]
pub struct NodeGuard {
    node: Node,
    keep: bool,
}

impl Bench {
    /// A new, booted node for one test; an older one of that name is destroyed first.
    ///
    /// Also removes what tests left that were killed before they could clean up.
    pub fn fresh(&self, name: &str, options: CreateOptions) -> Result<NodeGuard> {
        self.sweep()?;
        let node = self.node(name);
        node.destroy()?;
        let pid = std::process::id();
        let keep = options.keep || std::env::var_os("HOLM_NODE_KEEP").is_some();
        let owner = if keep {
            None
        } else {
            start_time(pid).map(|start| (pid, start))
        };
        let guard = NodeGuard { node, keep };
        guard.create_owned(&options, owner)?;
        guard.boot()?;
        Ok(guard)
    }

    /// A name that no other running test process uses: `unique("a")` is `a-<pid>`.
    pub fn unique(stem: &str) -> String {
        format!("{stem}-{}", std::process::id())
    }

    /// Destroys nodes whose test process is gone.
    pub fn sweep(&self) -> Result<()> {
        for (name, meta) in self.metas()? {
            if meta
                .owner
                .is_some_and(|(pid, start)| start_time(pid) != Some(start))
            {
                self.node(&name).destroy()?;
            }
        }
        Ok(())
    }
}

impl Deref for NodeGuard {
    type Target = Node;

    fn deref(&self) -> &Node {
        &self.node
    }
}

impl Drop for NodeGuard {
    fn drop(&mut self) {
        if self.keep {
            eprintln!("node {} is kept", self.name());
        } else if let Err(error) = self.destroy() {
            eprintln!("cannot destroy node {}: {error:#}", self.name());
        }
    }
}

/// With the pid it names a process for good, since pids are used again.
fn start_time(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    parse_start(&stat)
}

/// The 22nd field; the 2nd is a name in parentheses that may hold anything.
fn parse_start(stat: &str) -> Option<u64> {
    let rest = stat.rsplit_once(')')?.1;
    rest.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_shift_fields() {
        let fields: Vec<String> = (3..=30).map(|field| field.to_string()).collect();
        assert_eq!(parse_start(&format!("7 (a) b)) {}", fields.join(" "))), Some(22));
        assert!(start_time(std::process::id()).is_some());
    }
}
