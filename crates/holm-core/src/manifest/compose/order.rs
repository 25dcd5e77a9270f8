//! `depends_on` into start order: a container comes after those it names, else in the order of the file.

use super::{
    super::report::{Report, quoted},
    service::Draft,
};

/// Indices of the containers in start order.
pub(super) fn starts(drafts: &[Draft<'_>], report: &mut Report) -> Option<Vec<usize>> {
    let mut after: Vec<Vec<usize>> = Vec::new();
    for draft in drafts {
        let mut wanted = Vec::new();
        for name in &draft.depends_on {
            match drafts.iter().position(|other| other.key.value == name.value) {
                Some(index) => wanted.push(index),
                None => {
                    let message = format!("{} is not a service of this template", quoted(name.value));
                    report.error(&name.at, "compose-depends", message, "name a key of services");
                }
            }
        }
        after.push(wanted);
    }
    let mut order: Vec<usize> = Vec::new();
    while order.len() < drafts.len() {
        let next = (0..drafts.len()).find(|index| {
            !order.contains(index) && after[*index].iter().all(|wanted| order.contains(wanted))
        });
        let Some(next) = next else {
            let stuck = drafts
                .iter()
                .enumerate()
                .find(|(index, _)| !order.contains(index));
            let (_, draft) = stuck?;
            let message = format!(
                "{} can never start: it waits for itself, or for one that does",
                quoted(draft.key.value)
            );
            report.error(&draft.key.at, "compose-depends", message, "break the circle");
            return None;
        };
        order.push(next);
    }
    Some(order)
}
