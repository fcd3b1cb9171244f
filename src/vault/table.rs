//! Sealed tables: each row is a sealed value, with plain columns to find it by.
//!
//! The only place that seals, binds and opens rows. Plain columns decide nothing; those that repeat something sealed are compared with
//! it. A new table needs a `Record`, a migration, and a line in `transaction`.

use super::error::{VaultError, VaultResult};
use super::seal::{Aad, Keys, Purpose};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Params, Row, params_from_iter};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::marker::PhantomData;

/// How a type is stored.
pub trait Record: Sized {
    const TABLE: &'static str;
    const PURPOSE: Purpose;
    /// The plain columns, besides those of every sealed table.
    const COLUMNS: &'static [&'static str];
    /// The sealed part.
    type Sealed: Serialize + DeserializeOwned;

    fn sealed(&self) -> &Self::Sealed;
    /// Whose it is; binds the sealed part to its row.
    fn owner(&self) -> Owner<'_>;
    /// The values of `COLUMNS`, in that order.
    fn columns(&self) -> Vec<Value>;
    /// The record with this number; `row` has the plain columns, by name.
    fn read(number: i64, sealed: Self::Sealed, row: &Row<'_>) -> rusqlite::Result<Self>;
}

/// The columns of every sealed table.
#[derive(PartialEq, Eq)]
pub struct Owner<'a> {
    /// The session's id; of a permission, the add-on's.
    pub session: &'a str,
    pub provider: &'a str,
    pub account: &'a str,
}

impl Owner<'_> {
    fn aad(&self, purpose: Purpose) -> Aad<'_> {
        Aad { purpose, provider: self.provider, account: self.account, id: self.session }
    }
}

/// One sealed table of an open vault.
pub struct Table<'a, R> {
    pub connection: &'a Connection,
    keys: &'a Keys,
    record: PhantomData<fn() -> R>,
}

impl<'a, R: Record> Table<'a, R> {
    pub fn new(connection: &'a Connection, keys: &'a Keys) -> Self {
        Table { connection, keys, record: PhantomData }
    }

    /// The rows that `rest` of the statement selects.
    pub fn all(&self, rest: &str, params: impl Params) -> VaultResult<Vec<R>> {
        let mut statement = self.connection.prepare_cached(&select::<R>(rest))?;
        let mut rows = statement.query(params)?;
        let mut records = Vec::new();
        while let Some(row) = rows.next()? {
            records.push(self.open(row)?);
        }
        Ok(records)
    }

    /// The first of these rows.
    pub fn first(&self, rest: &str, params: impl Params) -> VaultResult<Option<R>> {
        let mut statement = self.connection.prepare_cached(&select::<R>(rest))?;
        let mut rows = statement.query(params)?;
        rows.next()?.map(|row| self.open(row)).transpose()
    }

    /// Inserts under this number or the next free one, and returns it.
    pub fn insert(&self, number: Option<i64>, record: &R) -> VaultResult<i64> {
        let names = names::<R>();
        let places: Vec<_> = (1..=names.len()).map(|n| format!("?{n}")).collect();
        let statement = format!(
            "INSERT INTO {} ({}) VALUES ({})",
            R::TABLE,
            names.join(", "),
            places.join(", ")
        );
        let values = self.values(number, record)?;
        self.connection.prepare_cached(&statement)?.execute(params_from_iter(values))?;
        Ok(self.connection.last_insert_rowid())
    }

    /// Replaces a row.
    pub fn update(&self, number: i64, record: &R) -> VaultResult<()> {
        self.set(&names::<R>()[1..], self.values(Some(number), record)?)
    }

    /// Replaces only the plain columns; the sealed part may be newer than the caller's.
    pub fn update_columns(&self, number: i64, record: &R) -> VaultResult<()> {
        let mut values = vec![Value::Integer(number)];
        values.extend(record.columns());
        self.set(R::COLUMNS, values)
    }

    /// Returns how many rows were deleted.
    pub fn delete(&self, condition: &str, params: impl Params) -> VaultResult<usize> {
        let statement = format!("DELETE FROM {} WHERE {condition}", R::TABLE);
        Ok(self.connection.prepare_cached(&statement)?.execute(params)?)
    }

    fn set(&self, names: &[&str], values: Vec<Value>) -> VaultResult<()> {
        let set: Vec<_> =
            names.iter().zip(2..).map(|(name, place)| format!("{name} = ?{place}")).collect();
        let statement = format!("UPDATE {} SET {} WHERE row = ?1", R::TABLE, set.join(", "));
        self.connection.prepare_cached(&statement)?.execute(params_from_iter(values))?;
        Ok(())
    }

    /// In the order of `names`.
    fn values(&self, number: Option<i64>, record: &R) -> VaultResult<Vec<Value>> {
        let owner = record.owner();
        let mut values = vec![
            number.map_or(Value::Null, Value::Integer),
            Value::Text(owner.session.to_owned()),
            Value::Text(owner.provider.to_owned()),
            Value::Text(owner.account.to_owned()),
            Value::Blob(self.keys.seal(record.sealed(), owner.aad(R::PURPOSE))?),
        ];
        values.extend(record.columns());
        Ok(values)
    }

    fn open(&self, row: &Row<'_>) -> VaultResult<R> {
        let (session, provider, account): (String, String, String) =
            (row.get(1)?, row.get(2)?, row.get(3)?);
        let sealed = row.get_ref(4)?.as_blob().map_err(|_| VaultError::Damaged)?;
        let owner = Owner { session: &session, provider: &provider, account: &account };
        let value = self.keys.open(sealed, owner.aad(R::PURPOSE)).ok_or(VaultError::BadRow)?;
        let record = R::read(row.get(0)?, value, row)?;
        let is_as_sealed = (5..)
            .zip(record.columns())
            .all(|(n, value)| row.get_ref(n).is_ok_and(|found| found == ValueRef::from(&value)));
        if record.owner() == owner && is_as_sealed { Ok(record) } else { Err(VaultError::BadRow) }
    }
}

/// What is done to all sealed tables.
pub trait AnyTable {
    fn name(&self) -> &'static str;

    /// True if at least one of these rows opens.
    fn opens_any(&self, numbers: &BTreeSet<i64>) -> bool;

    fn delete_unreadable(&self) -> VaultResult<()>;

    /// Copies those of these rows that open.
    fn copy_to(&self, new: &Connection, numbers: &BTreeSet<i64>) -> VaultResult<()>;
}

impl<R: Record> AnyTable for Table<'_, R> {
    fn name(&self) -> &'static str {
        R::TABLE
    }

    fn opens_any(&self, numbers: &BTreeSet<i64>) -> bool {
        numbers.iter().any(|number| matches!(self.first("WHERE row = ?1", [number]), Ok(Some(_))))
    }

    fn delete_unreadable(&self) -> VaultResult<()> {
        let mut bad = Vec::new();
        let mut statement = self.connection.prepare(&select::<R>(""))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if self.open(row).is_err() {
                bad.push(row.get::<_, i64>(0)?);
            }
        }
        for number in bad {
            self.delete("row = ?1", [number])?;
        }
        Ok(())
    }

    fn copy_to(&self, new: &Connection, numbers: &BTreeSet<i64>) -> VaultResult<()> {
        let new = Table::<R>::new(new, self.keys);
        for number in numbers {
            if let Ok(Some(record)) = self.first("WHERE row = ?1", [number]) {
                new.insert(Some(*number), &record)?;
            }
        }
        Ok(())
    }
}

fn names<R: Record>() -> Vec<&'static str> {
    ["row", "session", "provider", "account", "sealed"]
        .into_iter()
        .chain(R::COLUMNS.iter().copied())
        .collect()
}

fn select<R: Record>(rest: &str) -> String {
    format!("SELECT {} FROM {} {rest}", names::<R>().join(", "), R::TABLE)
}
