// The part of better-sqlite3's interface that the PDS uses (through Kysely), on the SQLite that comes with Node: the
// original must be compiled on every machine, which takes longer than all tests that need it.
const { DatabaseSync } = require('node:sqlite')

// Extended result codes of SQLite, by the names that the PDS asks for.
const NAMES = {
  5: 'SQLITE_BUSY',
  6: 'SQLITE_LOCKED',
  19: 'SQLITE_CONSTRAINT',
  787: 'SQLITE_CONSTRAINT_FOREIGNKEY',
  1299: 'SQLITE_CONSTRAINT_NOTNULL',
  1555: 'SQLITE_CONSTRAINT_PRIMARYKEY',
  2067: 'SQLITE_CONSTRAINT_UNIQUE',
}

class SqliteError extends Error {
  constructor(error) {
    super(error.message)
    this.name = 'SqliteError'
    this.code = NAMES[error.errcode] ?? NAMES[error.errcode & 255] ?? 'SQLITE_ERROR'
  }
}

function named(call) {
  try {
    return call()
  } catch (error) {
    throw error.code === 'ERR_SQLITE_ERROR' ? new SqliteError(error) : error
  }
}

function row(found) {
  const values = {}
  for (const name in found) {
    const value = found[name]
    values[name] = value instanceof Uint8Array ? Buffer.from(value) : value
  }
  return values
}

class Statement {
  constructor(statement) {
    this.statement = statement
    this.reader = statement.columns().length > 0
  }

  all(values = []) {
    return named(() => this.statement.all(...values).map(row))
  }

  run(values = []) {
    return named(() => this.statement.run(...values))
  }

  *iterate(values = []) {
    for (const found of this.statement.iterate(...values)) yield row(found)
  }
}

class Database {
  constructor(path, { timeout = 5000 } = {}) {
    this.database = named(() => new DatabaseSync(path, { timeout }))
  }

  prepare(sql) {
    return new Statement(named(() => this.database.prepare(sql)))
  }

  pragma(text) {
    return this.prepare(`PRAGMA ${text}`).all()
  }

  close() {
    if (this.database.isOpen) this.database.close()
  }
}

module.exports = Database
module.exports.SqliteError = SqliteError
