/** What `wellpool init` writes. */
export const INITIAL_CONFIG = `# The pools that \`wellpool serve\` holds, and how it is reached.
# yaml-language-server: $schema=./node_modules/@wellpool/server/wellpool.schema.json
#
# Durations are texts (250ms, 30s, 5m, 1h30m) or milliseconds. References in texts are replaced: a variable of the
# environment in \${NAME}, with a default in \${NAME:-default}, the text of a file in \${file:/path}. Within { } they
# have to be quoted. \`wellpool check\` tells everything that is wrong, and tries each target.

server:
  host: 127.0.0.1 # other addresses need tokens
  port: 7710
  # tokens_file: tokens.json   # made by \`wellpool token create\`
  # audit_log: audit.log       # every change: who, what, when, with what result
  # tls:
  #   cert_file: server.crt
  #   key_file: server.key

log:
  level: info # debug, info, warn, error, silent

# How long leases are waited for when the agent ends, or a pool is replaced.
drain_timeout: 30s

# Options for all pools; a pool's own win over them. These are the defaults.
# max_connections: 10
# acquire_timeout: 30s
# health_check_interval: 30s
# unhealthy_threshold: 3
# degraded_threshold: 1s
# smart_rebuild_enabled: true
# max_lifetime: 30m

pools:
  # A pool by its name: the protocol with the options of its driver, and options of the pool.
  # orders:
  #   postgres:
  #     host: db.internal
  #     database: orders
  #     user: app
  #     password: \${ORDERS_PASSWORD}
  #   max_connections: 20
  #   execute: # what those with the role executor may run; without it: nothing
  #     read_only: true
  #     allow:
  #       - select count(*) from orders where state = $1
  #
  # cache:
  #   redis: \${REDIS_URL:-redis://127.0.0.1:6379}
  #
  # router-17:
  #   ssh:
  #     host: router-17.internal
  #     username: ops
  #     password: \${file:/run/secrets/router}
  #     cli:
  #       platform: cisco_iosxe
  #   execute:
  #     allow:
  #       - show *
`
