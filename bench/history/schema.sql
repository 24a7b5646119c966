-- The index of the history. Names and times are in plain forms, so that a person with the sqlite3 shell can ask too.
CREATE TABLE machines (
  id          INTEGER PRIMARY KEY,
  fingerprint TEXT NOT NULL UNIQUE,
  description TEXT NOT NULL               -- history.Machine as JSON
);
CREATE TABLE cases (
  id   INTEGER PRIMARY KEY,
  text TEXT NOT NULL UNIQUE               -- bench.Case as JSON
);
CREATE TABLE runs (
  id          INTEGER PRIMARY KEY,
  run         TEXT NOT NULL UNIQUE,
  folder      TEXT NOT NULL,
  started     INTEGER NOT NULL,           -- nanoseconds since 1970, UTC
  machine     INTEGER NOT NULL REFERENCES machines,
  revision    TEXT NOT NULL,              -- commit of what was measured, or ''
  environment TEXT NOT NULL               -- Facts as JSON
);
CREATE INDEX runs_started ON runs (started);
CREATE INDEX runs_machine ON runs (machine, started);
CREATE INDEX runs_folder ON runs (folder);
-- The key is the order of the question that is asked most: one case on one machine over time.
CREATE TABLE points (
  machine  INTEGER NOT NULL REFERENCES machines,
  kase     INTEGER NOT NULL REFERENCES cases,
  started  INTEGER NOT NULL,
  run      INTEGER NOT NULL REFERENCES runs,
  status   TEXT NOT NULL,
  observed TEXT NOT NULL,
  seconds  REAL,                          -- NULL: no figure
  launches TEXT NOT NULL,                 -- seconds, as a JSON array
  PRIMARY KEY (machine, kase, started, run)
) WITHOUT ROWID;
CREATE INDEX points_run ON points (run, kase);
CREATE TABLE baselines (
  name   TEXT NOT NULL,
  folder TEXT NOT NULL,
  given  INTEGER NOT NULL,                -- nanoseconds since 1970, UTC
  PRIMARY KEY (name, folder)
) WITHOUT ROWID;
