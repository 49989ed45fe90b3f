//! Taking in and routing under a durable database, beside plain SQL that writes the same rows.

use crate::desk::{Desk, Serials};
use crate::driver::Driver;
use crate::floor::{self, Template, Way};
use crate::plan::Plan;
use crate::report::{Row, Target};
use anyhow::Result;
use std::sync::Arc;

/// Shares of the floor that are aimed for.
const SQLITE_SHARE: f64 = 0.4;
const POSTGRES_SHARE: f64 = 0.25;

/// One engine on SQLite with `synchronous=FULL`, and what it stores.
///
/// # Errors
/// When something cannot be measured.
pub async fn sqlite(plan: &Plan) -> Result<Vec<Row>> {
    let (mut measured, mut stored) = (Measured::default(), Stored::default());
    for repetition in 0..plan.repetitions {
        eprintln!("  SQLite {} of {}", repetition + 1, plan.repetitions);
        for way in [Way::Rows, Way::Groups] {
            let url = format!("sqlite:{}", plan.sqlite("floor")?.display());
            measured.floor(plan, &url, way).await?;
        }
        let url = format!("sqlite:{}", plan.sqlite("engine")?.display());
        measured.engine.push(engine_rate(plan, &url).await?);
        stored.measure(&url).await?;
    }
    let mut rows = measured.rows(format!("take in + route, SQLite synchronous=FULL, {} clients", plan.clients), SQLITE_SHARE);
    rows.extend(stored.rows());
    Ok(rows)
}

/// One engine on PostgreSQL with everything flushed that it confirms.
///
/// # Errors
/// When something cannot be measured.
pub async fn postgres(plan: &Plan) -> Result<Vec<Row>> {
    let mut measured = Measured::default();
    for repetition in 0..plan.repetitions {
        eprintln!("  PostgreSQL {} of {}", repetition + 1, plan.repetitions);
        for way in [Way::Rows, Way::Groups] {
            let scratch = plan.postgres().await?;
            measured.floor(plan, &scratch.url(), way).await?;
            scratch.drop_it().await?;
        }
        let scratch = plan.postgres().await?;
        measured.engine.push(engine_rate(plan, &scratch.url()).await?);
        scratch.drop_it().await?;
    }
    Ok(measured.rows(format!("take in + route, PostgreSQL fsync=on, 1 host, {} clients", plan.clients), POSTGRES_SHARE))
}

/// Messages per second of the engine and of both floors, repetition by repetition.
#[derive(Default)]
struct Measured {
    engine: Vec<f64>,
    rows: Vec<f64>,
    groups: Vec<f64>,
    shape: String,
}

impl Measured {
    async fn floor(&mut self, plan: &Plan, url: &str, way: Way) -> Result<()> {
        let (template, serials) = (Arc::new(Template::sample(url).await?), Serials::new());
        let numbers = Arc::new(floor::Numbers::default());
        floor::rate(url, &template, way, (plan.clients, plan.warm_up), &serials, &numbers).await?;
        let rate = floor::rate(url, &template, way, (plan.clients, plan.duration), &serials, &numbers).await?;
        self.shape = shape(&template);
        match way {
            Way::Rows => self.rows.push(rate),
            Way::Groups => self.groups.push(rate),
        }
        Ok(())
    }

    fn rows(self, name: String, share: f64) -> Vec<Row> {
        let target = Target::OfFloor(share);
        let strict = format!("{name}, beside one INSERT per table and group");
        vec![
            Row::new(name, "messages/s", self.engine.clone(), target).beside(self.rows).noting(self.shape),
            Row::new(strict, "messages/s", self.engine, target).beside(self.groups),
        ]
    }
}

async fn engine_rate(plan: &Plan, url: &str) -> Result<f64> {
    let (desk, serials) = (Desk::open(url).await?, Serials::new());
    desk.rate(plan.clients, plan.warm_up, &serials).await?;
    let rate = desk.rate(plan.clients, plan.duration, &serials).await;
    desk.close().await?;
    rate
}

fn shape(template: &Template) -> String {
    let tables = template.rows_per_table();
    let rows: usize = tables.values().sum();
    let listed: Vec<String> = tables.iter().map(|(table, count)| format!("{table} {count}")).collect();
    format!("{rows} rows per message besides counters: {}", listed.join(", "))
}

/// Bytes that a message and its decision take.
#[derive(Default)]
struct Stored {
    decision: Vec<f64>,
    input: Vec<f64>,
    message: Vec<f64>,
}

impl Stored {
    async fn measure(&mut self, url: &str) -> Result<()> {
        let mut driver = Driver::open(url).await?;
        let decision = driver.number("SELECT CAST(AVG(LENGTH(decision)) AS INTEGER) AS n FROM decision").await?;
        let input =
            driver.number("SELECT CAST(AVG(LENGTH(body)) AS INTEGER) AS n FROM routing_input WHERE kind = 'arrived'").await?;
        let messages = driver.number("SELECT COUNT(*) AS n FROM message").await?;
        let pages = driver.number("PRAGMA page_count").await? * driver.number("PRAGMA page_size").await?;
        driver.close().await;
        self.decision.push(decision as f64);
        self.input.push(input as f64);
        self.message.push(pages as f64 / messages as f64);
        Ok(())
    }

    fn rows(self) -> Vec<Row> {
        vec![
            Row::new("stored per decision: its record", "bytes", self.decision, Target::None),
            Row::new("stored per decision: the input that explains it", "bytes", self.input, Target::None),
            Row::new("stored per message, everything with indexes", "bytes", self.message, Target::None),
        ]
    }
}
