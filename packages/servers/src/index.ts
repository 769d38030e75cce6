export { freePort } from './free-port.ts'
export {
  canStartPostgres,
  createDatabase,
  dropDatabase,
  NoServerError,
  type PostgresServer,
  type PostgresServerOptions,
  type PostgresStopMode,
  startPostgres,
} from './postgres.ts'
