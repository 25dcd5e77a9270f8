//! `environment` of a compose service, as an object or as a list of `KEY=value`.

use std::collections::BTreeMap;

use super::{
    super::{
        checks::env,
        document::Value,
        field::{Item, Object},
        report::{Placed, Report, Text},
    },
    Context,
};
use crate::{
    model::{Piece, Template},
    name::EnvKey,
};

/// Reads the variables of one container.
pub(super) fn read(
    fields: &Object<'_>,
    context: &mut Context<'_>,
    report: &mut Report,
) -> BTreeMap<EnvKey, Template> {
    let mut variables = BTreeMap::new();
    let Some(item) = fields.get("environment") else {
        return variables;
    };
    if matches!(item.node.value, Value::List(_)) {
        for text in fields.texts("environment", report) {
            let Some((key, value)) = text.value.split_once('=') else {
                from_host(&text, report);
                continue;
            };
            let key = Placed {
                value: key,
                at: text.at.clone(),
            };
            let value = Placed {
                value,
                at: text.at.clone(),
            };
            insert(&mut variables, &key, &value, context, report);
        }
        return variables;
    }
    for (key, item) in item.entries(report).unwrap_or_default() {
        match &item.node.value {
            Value::Null => from_host(&key, report),
            Value::Integer(number) => {
                let value = Template(vec![Piece::Text(number.to_string())]);
                env::insert(&mut variables, &key, value, report);
            }
            Value::Text(text) => {
                let value = Placed {
                    value: text.as_str(),
                    at: item.at.clone(),
                };
                insert(&mut variables, &key, &value, context, report);
            }
            _ => not_text(&item, report),
        }
    }
    variables
}

fn insert(
    variables: &mut BTreeMap<EnvKey, Template>,
    key: &Text<'_>,
    value: &Text<'_>,
    context: &mut Context<'_>,
    report: &mut Report,
) {
    let fits = env::line(value, "env-value", report);
    let template = if fits {
        context.variables.parse(value, report)
    } else {
        None
    };
    // The key is checked also when the value is at fault; the package is refused by then.
    env::insert(variables, key, template.unwrap_or(Template(Vec::new())), report);
}

fn from_host(key: &Text<'_>, report: &mut Report) {
    let message = "a variable without a value would take it from the host";
    report.error(
        &key.at,
        "env-value",
        message,
        "write a value, also when it is empty: KEY: \"\"",
    );
}

/// `yes`, `1.10` and `1e3` are read differently by each YAML parser; in quotes they are one text.
fn not_text(item: &Item<'_>, report: &mut Report) {
    let message = format!("this is {}, not a text", item.node.value.kind());
    report.error(&item.at, "env-value", message, "put the value in quotes");
}
