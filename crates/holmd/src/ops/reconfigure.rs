//! `holm reconfigure`: settings of an installed service change, and nothing else does.

use holm_core::{
    intent::ServiceIntent,
    manifest::{Finding, Severity},
    name::ServiceId,
    wire::{Operation, Reconfigure, Verb},
};

use super::{Asked, Kind, OpError, put, service::installed, setting};

/// Sets the given settings; the others stay.
///
/// The template of other systems' `reconfigure` is refused whatever it says: what runs comes out of a
/// store that was verified, and the installed package keeps no template to compare with.
///
/// # Errors
/// It is not installed, removed or being purged; a setting is unknown or not allowed; a template is given.
pub fn reconfigure(asked: Asked<'_>, id: &ServiceId, wish: &Reconfigure) -> Result<Operation, OpError> {
    let refused = |title: String, hint: &str, findings| {
        OpError::new(Kind::Refused, "settings-refused", title, hint).with(findings)
    };
    if wish.compose_template.is_some() {
        let title = format!("{id} was not reconfigured: only its settings can be changed");
        let hint = "leave compose_template out; another template comes with another package";
        return Err(refused(title, hint, vec![template()]));
    }
    asked.change(|change| {
        let old = installed(change, "reconfigure", id)?;
        let settings = setting::merge(&old.service, &old.settings, &wish.config).map_err(|findings| {
            let title = format!("{id} was not reconfigured: its settings would not be allowed");
            refused(title, "correct what is listed, then try again", findings)
        })?;
        let new = ServiceIntent {
            settings,
            ..old.clone()
        };
        put(change, Verb::Reconfigure, Some(&old), &new, Vec::new())
    })
}

fn template() -> Finding {
    Finding {
        rule: "reconfigure-template".to_owned(),
        severity: Severity::Error,
        file: "request".to_owned(),
        field: "compose_template".to_owned(),
        line: 0,
        column: 0,
        message: "a template comes only with a package of the store".to_owned(),
        hint: "remove this field".to_owned(),
    }
}
