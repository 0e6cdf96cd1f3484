//! The sources that defaults and typical ranges are taken from, named once.
//!
//! Must never know which input uses which.

use super::Source;

pub const NAPKIN: Source = Source::cited("napkin-math", "March 2026");
pub const AWS_PRICING: Source = Source::cited("AWS pricing pages", "June 2026");
pub const AWS_DOCS: Source = Source::cited("AWS documentation", "2026");
pub const PREPARATION: Source = Source::cited("preparation sites, as catalogued", "2026");
pub const POSTGRES_BENCH: Source = Source::cited("PostgresBench, run by a vendor", "April 2026");
pub const KAFKA: Source = Source::cited("LinkedIn, Kafka on three machines", "2014");
pub const REDIS: Source = Source::cited("redis-benchmark", "2026");
pub const HIKARI: Source = Source::cited("HikariCP wiki, About Pool Sizing", "2026");
pub const ROLE: Source = Source::cited("S4, role blueprint", "2026");
pub const YCSB: Source = Source::cited("YCSB (Cooper et al., SoCC)", "2010");
pub const SRE_BOOK: Source = Source::cited("Google SRE book", "2016");
pub const SRE_WORKBOOK: Source = Source::cited("Google SRE workbook, ch. 5", "2018");
pub const DDIA: Source = Source::cited("Designing Data-Intensive Applications, ch. 1", "2017");
pub const TAIL_AT_SCALE: Source = Source::cited("Dean & Barroso, The Tail at Scale", "2013");
pub const BUILDERS: Source =
    Source::cited("Amazon Builders' Library, timeouts and retries", "2019");
pub const OURS: Source = Source::Ours;
