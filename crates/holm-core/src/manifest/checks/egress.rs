//! Rule `egress`: the ways out that a service may use are known ones, and its default is among them.

use super::super::{
    report::{Report, quoted},
    v3::V3,
};

const WAYS: [&str; 5] = ["cell_internet", "openvpn", "wireguard", "tor", "pic_cell"];

/// Checks `egress`.
pub(in crate::manifest) fn check(raw: &V3<'_>, report: &mut Report) {
    let Some(egress) = &raw.egress else { return };
    let default = egress.need_text("default", report);
    if egress.need("allowed", report).is_none() {
        return;
    }
    let allowed = egress.texts("allowed", report);
    for (index, way) in allowed.iter().enumerate() {
        if !WAYS.contains(&way.value) {
            let message = format!("{} is not a way out", quoted(way.value));
            report.error(
                &way.at,
                "egress",
                message,
                format!("choose from {}", WAYS.join(" ")),
            );
        } else if allowed[..index].iter().any(|other| other.value == way.value) {
            report.error(&way.at, "egress", "this way out is named twice", "name it once");
        }
    }
    if let Some(default) = default
        && !allowed.iter().any(|way| way.value == default.value)
    {
        let message = format!("the default {} is not in allowed", quoted(default.value));
        report.error(&default.at, "egress", message, "choose the default from allowed");
    }
}
