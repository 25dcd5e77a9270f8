//! `holm init`: the cell gets its name, its domain, its addresses and its store.

use holm_core::{
    intent::CellIntent,
    name::CellName,
    target::Pool,
    wire::{Init, Operation, Verb},
};
use holm_trust::StoreDir;

use super::{Asked, Kind, OpError, store::unusable};
use crate::db::{CellRow, NewOperation};

/// Where addresses are taken from unless somebody says otherwise.
const POOL: &str = "172.20.0.0/16";

/// Makes the cell. Again with the same values, or with fewer, it changes nothing; another store is
/// taken at once, and used from the next install on.
///
/// # Errors
/// The cell exists with another name, domain or pool; or the store cannot be read.
pub fn init(asked: Asked<'_>, wish: &Init) -> Result<Operation, OpError> {
    if let Some(path) = &wish.store {
        // Read once now: a mistyped path is better told here than at the first install.
        let doing = "use this store";
        let store = StoreDir::new(path).map_err(|error| unusable(doing, &error))?;
        holm_trust::index(&store).map_err(|error| unusable(doing, &error))?;
    }
    asked.change(|change| {
        let old = change.cell()?;
        let new = match &old {
            None => first(wish)?,
            Some(old) => again(old, wish)?,
        };
        let unchanged = old.as_ref() == Some(&new);
        if !unchanged {
            change.put_cell(&new)?;
        }
        Ok(NewOperation {
            verb: Verb::Init,
            service: None,
            unchanged,
            warnings: Vec::new(),
        })
    })
}

fn first(wish: &Init) -> Result<CellRow, OpError> {
    let usage = |error: &dyn std::fmt::Display| {
        let title = format!("there is no cell yet: {error}");
        OpError::new(Kind::Usage, "cell-name", title, "give it a name with --name")
    };
    let name: CellName = match &wish.name {
        Some(name) => name.clone(),
        None => {
            let label = wish.domain.as_str().split('.').next().unwrap_or_default();
            label.parse().map_err(|error| usage(&error))?
        }
    };
    let pool: Pool = match wish.pool {
        Some(pool) => pool,
        None => POOL.parse().map_err(|error| usage(&error))?,
    };
    Ok(CellRow {
        intent: CellIntent {
            name,
            domain: wish.domain.clone(),
            pool,
        },
        store: wish.store.clone(),
    })
}

/// Certificates, addresses and people's bookmarks hang on these values: changing them is more than a row.
fn again(old: &CellRow, wish: &Init) -> Result<CellRow, OpError> {
    let CellIntent { name, domain, pool } = &old.intent;
    let other = |what: &str, has: &str| {
        let title = format!("the cell has the {what} {has} already, and it cannot be changed");
        let hint = format!("type `holm init --domain {domain} --store DIRECTORY` to name another store");
        Err(OpError::new(Kind::Conflict, "cell-exists", title, hint))
    };
    if *domain != wish.domain {
        return other("domain", domain.as_str());
    }
    if wish.name.as_ref().is_some_and(|wanted| wanted != name) {
        return other("name", name.as_str());
    }
    if wish.pool.is_some_and(|wanted| wanted != *pool) {
        return other("pool", &String::from(*pool));
    }
    Ok(CellRow {
        intent: old.intent.clone(),
        store: wish.store.clone().or_else(|| old.store.clone()),
    })
}
