-- Times are seconds since 1970. `data` is explained in src/history/encoding.rs.
CREATE TABLE history_facts (
    name TEXT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);

-- TaskQueues, tiles, TaskChannels, Activities, thresholds and tiles' looks, by the numbers that stand for them in `data`.
CREATE TABLE history_names (
    kind BIGINT NOT NULL,
    id BIGINT NOT NULL,
    name TEXT NOT NULL,
    label TEXT NOT NULL,
    PRIMARY KEY (kind, id)
);

CREATE UNIQUE INDEX history_names_by_name ON history_names (kind, name);

-- What changed in a quarter of an hour, in parts that each begin with all values.
CREATE TABLE history_detail (
    quarter BIGINT NOT NULL,
    subject BIGINT NOT NULL,
    part BIGINT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (quarter, subject, part)
) WITHOUT ROWID;

-- The quarter hours of a day.
CREATE TABLE history_intervals (
    day BIGINT NOT NULL,
    subject BIGINT NOT NULL,
    data BLOB NOT NULL
);

CREATE UNIQUE INDEX history_intervals_by_day ON history_intervals (day, subject);

CREATE TABLE history_gaps (
    start BIGINT NOT NULL PRIMARY KEY,
    finish BIGINT NOT NULL,
    reason BIGINT NOT NULL
);
