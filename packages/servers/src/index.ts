export { freePort } from './free-port.ts'
export {
  createDatabase,
  NoServerError,
  type PostgresServer,
  type PostgresServerOptions,
  type PostgresStopMode,
  startPostgres,
} from './postgres.ts'
