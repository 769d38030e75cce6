export { CHROMIUM } from './chromium.ts'
export { freePort } from './free-port.ts'
export { type GrpcServerOptions, startGrpcServer } from './grpc.ts'
export { TEST_SERVICE } from './grpc-service.ts'
export { type Http2ServerOptions, startHttp2Server } from './http2.ts'
export { inCi } from './in-ci.ts'
export {
  executeMysql,
  MARIADB_PROGRAM,
  MariadbServer,
  type MariadbServerOptions,
  type MariadbStopMode,
  startMariadb,
} from './mariadb.ts'
export { NGINX, type Nginx, startNginx } from './nginx.ts'
export { NoServerError } from './no-server-error.ts'
export { PGBOUNCER, type PgBouncer, startPgBouncer } from './pgbouncer.ts'
export {
  canStartPostgres,
  createDatabase,
  dropDatabase,
  type PostgresServer,
  type PostgresServerOptions,
  type PostgresStopMode,
  startPostgres,
} from './postgres.ts'
export type { ProgramServer } from './program-server.ts'
export { findProgram, type Program } from './programs.ts'
export {
  ALERTMANAGER_PROGRAM,
  type MonitoringServer,
  PROMETHEUS_PROGRAM,
  PROMTOOL_PROGRAM,
  startAlertmanager,
  startPrometheus,
} from './prometheus.ts'
export { RABBITMQ, type RabbitmqServer, startRabbitmq } from './rabbitmq.ts'
export { REDIS_PROGRAM, RedisServer, type RedisServerOptions, type RedisStopMode, startRedis } from './redis.ts'
export { runToEnd } from './run-to-end.ts'
export { SSHD, type SshdHostKey, type SshdKeyType, SshdServer, type SshdServerOptions, startSshd } from './sshd.ts'
export { startTcpServer, type TcpServerOptions } from './tcp.ts'
