//! The database as text, for the run record.
//!
//! Invariant: no secret leaves by this way: the hash of a token prints as `…`.

use model::record::DatabaseRow;
use rusqlite::types::ValueRef;

use super::{PolicyStore, StoreError};

/// Every table, in the order in which they are printed.
const TABLES: [&str; 8] =
    ["tenants", "policies", "users", "groups", "members", "grants", "tokens", "changes"];

impl PolicyStore {
    /// Every row of every table: by table, then in the order in which they were written. A column without a
    /// value is left out.
    ///
    /// # Errors
    /// When SQLite fails.
    pub fn rows(&self) -> Result<Vec<DatabaseRow>, StoreError> {
        let mut rows = Vec::new();
        for table in TABLES {
            let mut statement = self.database.prepare(&format!("SELECT * FROM {table} ORDER BY rowid"))?;
            let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
            let read = statement.query_map([], |row| {
                let mut values = std::collections::BTreeMap::new();
                for (at, column) in columns.iter().enumerate() {
                    if let Some(text) = text_of(row.get_ref(at)?) {
                        let secret = table == "tokens" && column == "sha256";
                        values.insert(column.clone(), if secret { "…".to_owned() } else { text });
                    }
                }
                Ok(DatabaseRow { table: table.to_owned(), values })
            })?;
            for row in read {
                rows.push(row?);
            }
        }
        Ok(rows)
    }
}

fn text_of(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        ValueRef::Blob(bytes) => Some(hex::encode(bytes)),
    }
}
