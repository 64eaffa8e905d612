//! The database: SQLite in one file, or PostgreSQL. One text of SQL serves both.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use secrecy::ExposeSecret;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{Any, AnyPool, ConnectOptions, Connection, Row, Transaction};

use super::gap::{Gap, GapReason};
use super::names::{StoredName, StoredNames};
use crate::config::HistoryPlace;

const CREATE: &str = include_str!("migrations/0001_history.sql");
/// One writes, the others read.
const MOST_CONNECTIONS: u32 = 4;
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// With a write-ahead log readers and the writer do not wait for each other, and a crash loses nothing that a checkpoint holds.
/// Each connection's page cache takes half a mebibyte.
/// A packed day of a TaskQueue takes about two kilobytes, of which a larger page wastes less; it counts for a new file.
const PRAGMAS: [&str; 7] = [
    "PRAGMA busy_timeout = 5000",
    "PRAGMA page_size = 8192",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA cache_size = -512",
    "PRAGMA journal_size_limit = 4194304",
    "PRAGMA temp_store = MEMORY",
];
/// Rows of one statement.
const ROWS: usize = 50;
/// The part of a password's URL that may be shown.
const HIDDEN: &str = "the PostgreSQL of HISTORY_URL";

#[derive(Debug, thiserror::Error)]
pub(super) enum StoreFault {
    #[error("the folder {0} can't be created: {1}")]
    Folder(PathBuf, std::io::Error),
    #[error("{0}")]
    Database(String),
    #[error("the file was removed or replaced while it was in use")]
    Removed,
    #[error("another service stores its history in this file; each needs a file of its own")]
    InUse,
    #[error("the file is damaged: {0}")]
    Damaged(String),
    #[error("it did not answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    #[error("its tables can't be made or are of a later version: {0}")]
    Migration(String),
}

impl From<sqlx::Error> for StoreFault {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code).map(Cow::into_owned);
        let text = error.to_string();
        // SQLITE_CORRUPT with its extended codes, and SQLITE_NOTADB.
        let damaged =
            code.and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| matches!(code & 0xff, 11 | 26));
        match error {
            sqlx::Error::Database(_) if damaged => Self::Damaged(text),
            // The text of a failed connection can name the URL.
            sqlx::Error::Configuration(_) => Self::Database("HISTORY_URL can't be used".to_owned()),
            sqlx::Error::PoolTimedOut => Self::TimedOut(LONGEST_WAIT),
            _ => Self::Database(text),
        }
    }
}

/// The data of one subject in a quarter hour: its parts in order.
#[derive(Debug)]
pub(super) struct DetailPart {
    pub(super) quarter: i64,
    pub(super) subject: u32,
    pub(super) part: i64,
    pub(super) data: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct DayOfIntervals {
    pub(super) day: i64,
    pub(super) subject: u32,
    pub(super) data: Vec<u8>,
}

/// One moment's changes, stored in one transaction.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) names: Vec<StoredName>,
    pub(super) details: Vec<(u32, i64, i64, Vec<u8>)>,
    pub(super) gaps: Vec<Gap>,
    pub(super) facts: Vec<(&'static str, i64)>,
    pub(super) days: Vec<DayOfIntervals>,
}

impl Batch {
    pub(super) fn rows(&self) -> usize {
        self.names.len() + self.details.len() + self.gaps.len() + self.days.len()
    }
}

/// Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct HistoryStore {
    pool: AnyPool,
    is_sqlite: bool,
}

impl HistoryStore {
    /// Opens it and brings its tables up to date; `reads_only` for commands beside a running service.
    pub(super) async fn open(place: &HistoryPlace, reads_only: bool) -> Result<Self, StoreFault> {
        sqlx::any::install_default_drivers();
        let is_sqlite = matches!(place, HistoryPlace::Sqlite(_));
        let url = match place {
            HistoryPlace::Sqlite(path) => {
                if !reads_only {
                    prepare(path)?;
                }
                let mode = if reads_only { "ro" } else { "rwc" };
                format!("sqlite://{}?mode={mode}", path.display())
            }
            HistoryPlace::Postgres(url) => url.expose_secret().to_owned(),
        };
        let options = AnyConnectOptions::from_str(&url)
            .map_err(|_| StoreFault::Database("HISTORY_URL can't be used".to_owned()))?
            .disable_statement_logging();
        let pragmas: &'static [&'static str] = match (is_sqlite, reads_only) {
            (false, _) => &[],
            (true, true) => &PRAGMAS[..1],
            (true, false) => &PRAGMAS,
        };
        // The pool tries again and again without a reason; this one says it.
        let first = async {
            let mut connection = options.connect().await?;
            for pragma in pragmas {
                sqlx::query(pragma).execute(&mut connection).await?;
            }
            connection.close().await
        };
        first.await.map_err(|error| Self::not_connected(error, is_sqlite))?;
        let pool = AnyPoolOptions::new()
            .max_connections(MOST_CONNECTIONS)
            .min_connections(0)
            .acquire_timeout(LONGEST_WAIT)
            .idle_timeout(Duration::from_secs(60))
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    for pragma in pragmas {
                        sqlx::query(pragma).execute(&mut *connection).await?;
                    }
                    Ok(())
                })
            })
            .connect_with(options)
            .await
            .map_err(|error| Self::not_connected(error, is_sqlite))?;
        let store = Self { pool, is_sqlite };
        if !reads_only {
            store.migrate().await?;
        }
        Ok(store)
    }

    fn not_connected(error: sqlx::Error, is_sqlite: bool) -> StoreFault {
        match StoreFault::from(error) {
            StoreFault::Database(text) if !is_sqlite => StoreFault::Database(format!("{HIDDEN}: {text}")),
            fault => fault,
        }
    }

    async fn migrate(&self) -> Result<(), StoreFault> {
        let sql = if self.is_sqlite {
            CREATE.to_owned()
        } else {
            CREATE.replace(" BLOB ", " BYTEA ").replace(") WITHOUT ROWID;", ");")
        };
        let first = Migration::new(1, "history".into(), MigrationType::Simple, sql.into(), false);
        let mut migrator = Migrator { migrations: vec![first].into(), ..Migrator::DEFAULT };
        // SQLite locks by itself, and has no lock to ask for.
        migrator.set_locking(!self.is_sqlite);
        migrator.run(&self.pool).await.map_err(|error| match error {
            sqlx::migrate::MigrateError::Execute(error) => error.into(),
            other => StoreFault::Migration(other.to_string()),
        })
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    pub(super) async fn names(&self) -> Result<StoredNames, StoreFault> {
        let rows =
            sqlx::query("SELECT kind, id, name, label FROM history_names").fetch_all(&self.pool).await?;
        let mut names = StoredNames::default();
        for row in rows {
            let (kind, id) = (row.try_get::<i64, _>(0)?, number(row.try_get(1)?));
            names.load(kind, id, row.try_get(2)?, row.try_get(3)?);
        }
        Ok(names)
    }

    pub(super) async fn fact(&self, name: &str) -> Result<Option<i64>, StoreFault> {
        let row = sqlx::query("SELECT value FROM history_facts WHERE name = $1").bind(name.to_owned());
        Ok(row.fetch_optional(&self.pool).await?.map(|row| row.try_get(0)).transpose()?)
    }

    /// The gaps that touch a range, in order.
    pub(super) async fn gaps(&self, from: i64, to: i64) -> Result<Vec<Gap>, StoreFault> {
        let sql =
            "SELECT start, finish, reason FROM history_gaps WHERE start < $2 AND finish > $1 ORDER BY start";
        let rows = sqlx::query(sql).bind(from).bind(to).fetch_all(&self.pool).await?;
        let gap = |row: &sqlx::any::AnyRow| {
            let reason = GapReason::of(row.try_get(2)?);
            Ok(Gap { from: row.try_get(0)?, to: row.try_get(1)?, reason })
        };
        rows.iter().map(gap).collect()
    }

    /// The parts of quarter hours from `first` to `last`, both included: of one subject, or of all.
    pub(super) async fn details(
        &self,
        first: i64,
        last: i64,
        subject: Option<u32>,
    ) -> Result<Vec<DetailPart>, StoreFault> {
        let part = |row: &sqlx::any::AnyRow| {
            Ok::<_, StoreFault>(DetailPart {
                quarter: row.try_get(0)?,
                subject: number(row.try_get(1)?),
                part: row.try_get(2)?,
                data: row.try_get(3)?,
            })
        };
        let Some(subject) = subject else {
            let sql = "SELECT quarter, subject, part, data FROM history_detail WHERE quarter BETWEEN $1 AND $2 \
                       ORDER BY subject, quarter, part";
            let rows = sqlx::query(sql).bind(first).bind(last).fetch_all(&self.pool).await?;
            return rows.iter().map(part).collect();
        };
        // The key begins with the quarter hour, so each is looked up by itself, a day's in one statement.
        let quarters: Vec<i64> = (first..=last).step_by(900).collect();
        let mut found = Vec::new();
        for day in quarters.chunks(96) {
            let places: Vec<String> = (2..day.len() + 2).map(|place| format!("${place}")).collect();
            let sql = format!(
                "SELECT quarter, subject, part, data FROM history_detail WHERE subject = $1 AND quarter IN ({}) \
                 ORDER BY quarter, part",
                places.join(", ")
            );
            let query = sqlx::query(&sql).bind(i64::from(subject));
            let query = day.iter().fold(query, |query, quarter| query.bind(*quarter));
            for row in query.fetch_all(&self.pool).await? {
                found.push(part(&row)?);
            }
        }
        Ok(found)
    }

    /// The nearest quarter hour with details, before or from a moment on.
    pub(super) async fn detail_before(&self, moment: i64) -> Result<Option<i64>, StoreFault> {
        self.nearest("SELECT MAX(quarter) FROM history_detail WHERE quarter < $1", moment).await
    }

    pub(super) async fn detail_from(&self, moment: i64) -> Result<Option<i64>, StoreFault> {
        self.nearest("SELECT MIN(quarter) FROM history_detail WHERE quarter >= $1", moment).await
    }

    /// The first day with intervals from a moment on.
    pub(super) async fn day_from(&self, moment: i64) -> Result<Option<i64>, StoreFault> {
        self.nearest("SELECT MIN(day) FROM history_intervals WHERE day >= $1", moment).await
    }

    async fn nearest(&self, sql: &str, moment: i64) -> Result<Option<i64>, StoreFault> {
        let row = sqlx::query(sql).bind(moment).fetch_one(&self.pool).await?;
        Ok(row.try_get(0)?)
    }

    /// Days of intervals from `first` to `last`, both included, in order.
    pub(super) async fn intervals(
        &self,
        first: i64,
        last: i64,
        subjects: Option<&[u32]>,
    ) -> Result<Vec<DayOfIntervals>, StoreFault> {
        let wanted =
            |found: &DayOfIntervals| subjects.is_none_or(|subjects| subjects.contains(&found.subject));
        let only = match subjects {
            Some(subjects) if subjects.len() <= 50 => {
                let numbers: Vec<String> = subjects.iter().map(u32::to_string).collect();
                format!("AND subject IN ({})", numbers.join(", "))
            }
            _ => String::new(),
        };
        let sql = format!(
            "SELECT day, subject, data FROM history_intervals WHERE day BETWEEN $1 AND $2 {only} ORDER BY day, subject"
        );
        let rows = sqlx::query(&sql).bind(first).bind(last).fetch_all(&self.pool).await?;
        let days: Result<Vec<DayOfIntervals>, StoreFault> = rows.iter().map(day_of_intervals).collect();
        Ok(days?.into_iter().filter(wanted).collect())
    }

    /// Up to `most` subjects of a day that come after one, in order.
    pub(super) async fn intervals_after(
        &self,
        day: i64,
        subject: i64,
        most: i64,
    ) -> Result<Vec<DayOfIntervals>, StoreFault> {
        let sql = "SELECT day, subject, data FROM history_intervals WHERE day = $1 AND subject > $2 \
                   ORDER BY subject LIMIT $3";
        let rows = sqlx::query(sql).bind(day).bind(subject).bind(most).fetch_all(&self.pool).await?;
        rows.iter().map(day_of_intervals).collect()
    }

    pub(super) async fn write(&self, batch: &Batch) -> Result<(), StoreFault> {
        let mut transaction = self.pool.begin().await?;
        write_names(&mut transaction, &batch.names).await?;
        for rows in batch.details.chunks(ROWS) {
            let sql = format!(
                "INSERT INTO history_detail (quarter, subject, part, data) VALUES {} \
                 ON CONFLICT (quarter, subject, part) DO UPDATE SET data = excluded.data",
                places(rows.len(), 4)
            );
            let query = rows.iter().fold(sqlx::query(&sql), |query, (subject, quarter, part, data)| {
                query.bind(*quarter).bind(i64::from(*subject)).bind(*part).bind(data.clone())
            });
            query.execute(&mut *transaction).await?;
        }
        for rows in batch.days.chunks(ROWS) {
            let sql = format!(
                "INSERT INTO history_intervals (day, subject, data) VALUES {} \
                 ON CONFLICT (day, subject) DO UPDATE SET data = excluded.data",
                places(rows.len(), 3)
            );
            let query = rows.iter().fold(sqlx::query(&sql), |query, row| {
                query.bind(row.day).bind(i64::from(row.subject)).bind(row.data.clone())
            });
            query.execute(&mut *transaction).await?;
        }
        for gap in &batch.gaps {
            let sql = "INSERT INTO history_gaps (start, finish, reason) VALUES ($1, $2, $3) \
                       ON CONFLICT (start) DO UPDATE SET finish = excluded.finish, reason = excluded.reason";
            let query = sqlx::query(sql).bind(gap.from).bind(gap.to).bind(gap.reason.number());
            query.execute(&mut *transaction).await?;
        }
        for (name, value) in &batch.facts {
            let sql = "INSERT INTO history_facts (name, value) VALUES ($1, $2) \
                       ON CONFLICT (name) DO UPDATE SET value = excluded.value";
            sqlx::query(sql).bind((*name).to_owned()).bind(*value).execute(&mut *transaction).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// Puts rows of intervals at the table's end instead of the old ones: shortened where they stand they would leave its
    /// pages half empty.
    pub(super) async fn replace(&self, rows: &[DayOfIntervals]) -> Result<(), StoreFault> {
        let mut transaction = self.pool.begin().await?;
        for row in rows {
            for sql in [
                "DELETE FROM history_intervals WHERE day = $1 AND subject = $2",
                "INSERT INTO history_intervals (day, subject, data) VALUES ($1, $2, $3)",
            ] {
                let mut query = sqlx::query(sql).bind(row.day).bind(i64::from(row.subject));
                if sql.starts_with("INSERT") {
                    query = query.bind(row.data.clone());
                }
                query.execute(&mut *transaction).await?;
            }
        }
        Ok(transaction.commit().await?)
    }

    /// Deletes one quarter hour of details, one day of intervals and old gaps from before these moments; returns whether
    /// there may be more.
    pub(super) async fn prune(&self, details: i64, intervals: i64) -> Result<bool, StoreFault> {
        let steps = [
            (
                "DELETE FROM history_detail WHERE quarter = (SELECT MIN(quarter) FROM history_detail) AND quarter < $1",
                details,
            ),
            (
                "DELETE FROM history_intervals WHERE day = (SELECT MIN(day) FROM history_intervals) AND day < $1",
                intervals,
            ),
            ("DELETE FROM history_gaps WHERE finish < $1", intervals),
        ];
        let mut deleted = 0;
        for (sql, before) in steps {
            deleted += sqlx::query(sql).bind(before).execute(&self.pool).await?.rows_affected();
        }
        Ok(deleted > 0)
    }
}

async fn write_names(transaction: &mut Transaction<'_, Any>, names: &[StoredName]) -> Result<(), StoreFault> {
    for rows in names.chunks(ROWS) {
        let sql = format!(
            "INSERT INTO history_names (kind, id, name, label) VALUES {} \
             ON CONFLICT (kind, id) DO UPDATE SET label = excluded.label",
            places(rows.len(), 4)
        );
        let query = rows.iter().fold(sqlx::query(&sql), |query, (kind, id, name, label)| {
            query.bind(*kind).bind(i64::from(*id)).bind(name.to_string()).bind(label.to_string())
        });
        query.execute(&mut **transaction).await?;
    }
    Ok(())
}

/// `($1, $2), ($3, $4)` for two rows of two columns.
fn places(rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let places: Vec<String> =
            (1..=columns).map(|column| format!("${}", row * columns + column)).collect();
        format!("({})", places.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

fn day_of_intervals(row: &sqlx::any::AnyRow) -> Result<DayOfIntervals, StoreFault> {
    Ok(DayOfIntervals { day: row.try_get(0)?, subject: number(row.try_get(1)?), data: row.try_get(2)? })
}

fn number(stored: i64) -> u32 {
    u32::try_from(stored).unwrap_or(u32::MAX)
}

/// Keeps other services from storing into the same file as long as it is held; none where the file system has no locks.
pub(super) fn lock(path: &Path) -> Result<Option<std::fs::File>, StoreFault> {
    prepare(path)?;
    let Ok(file) = std::fs::File::create(PathBuf::from(format!("{}.lock", path.display()))) else {
        return Ok(None);
    };
    match rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(StoreFault::InUse),
        Err(_) => Ok(None),
    }
}

/// Makes the file's folder.
fn prepare(path: &Path) -> Result<(), StoreFault> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    std::fs::create_dir_all(folder).map_err(|error| StoreFault::Folder(folder.to_owned(), error))
}

/// Puts a damaged file and what belongs to it aside, under a name with the moment in it. Nothing is deleted.
pub(super) fn put_aside(path: &Path, moment: i64) -> std::io::Result<PathBuf> {
    let aside = |suffix: &str| PathBuf::from(format!("{}.damaged-{moment}{suffix}", path.display()));
    for suffix in ["-wal", "-shm"] {
        let beside = PathBuf::from(format!("{}{suffix}", path.display()));
        if beside.exists() {
            std::fs::rename(beside, aside(suffix))?;
        }
    }
    std::fs::rename(path, aside(""))?;
    Ok(aside(""))
}
