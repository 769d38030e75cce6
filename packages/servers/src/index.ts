export { freePort } from './free-port.ts'
export { createDatabase, NoServerError, PostgresServer, type PostgresServerOptions, type PostgresStopMode } from './postgres.ts'
