import { describe, expect, test } from 'vitest'
import { readPage } from '../../../wellpool/test/docs/markdown.ts'
import { parseConfig } from '../../src/config/index.ts'
import { commandOf, GRACE, yamlDocuments } from './support.ts'

// As much of Kubernetes' objects as is looked at here.
interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: string; readonly scheme: string }
  readonly exec?: { readonly command: readonly string[] }
}
interface Container {
  readonly name: string
  readonly image: string
  readonly args?: readonly string[]
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[]
  readonly startupProbe?: Probe
  readonly livenessProbe?: Probe
  readonly readinessProbe?: Probe
  readonly lifecycle?: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } }
  readonly securityContext?: object
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[]
}
interface PodSpec {
  readonly terminationGracePeriodSeconds: number
  readonly securityContext: { readonly runAsUser: number }
  readonly initContainers?: readonly Container[]
  readonly containers: readonly Container[]
  readonly volumes: readonly { readonly name: string; readonly secret?: { readonly secretName: string } }[]
}
interface KubernetesObject {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly data?: Record<string, string>
  readonly spec?: {
    readonly selector?: { readonly matchLabels?: object } & object
    readonly ports?: readonly { readonly port: number; readonly targetPort: string }[]
    readonly ingress?: readonly { readonly ports: readonly { readonly port: number }[] }[]
    readonly podSelector?: { readonly matchLabels: object }
    readonly template?: { readonly metadata: { readonly labels: object }; readonly spec: PodSpec }
  }
}

const { version } = JSON.parse(readPage('packages/server/package.json')) as { version: string }
const paths = Object.keys((JSON.parse(readPage('packages/server/openapi.json')) as { paths: object }).paths)

describe.each(['ops/kubernetes/agent.yaml', 'ops/kubernetes/sidecar.yaml'])('%s', (file) => {
  const objects = yamlDocuments(readPage(file)) as unknown as readonly KubernetesObject[]
  const of = (kind: string): readonly KubernetesObject[] => objects.filter((each) => each.kind === kind)
  const configuration = of('ConfigMap')[0]?.data?.['wellpool.yaml'] ?? ''
  // The file of the secret is not here.
  const config = () =>
    parseConfig(configuration.replace('${file:/etc/wellpool/secrets/orders-password}', 'sesame'), '/etc/wellpool/config/wellpool.yaml')
  const template = of('Deployment')[0]?.spec?.template
  const pod = template?.spec as PodSpec
  const agent = [...(pod.initContainers ?? []), ...pod.containers].find(({ name }) => name === 'wellpool') as Container
  const probes = [agent.startupProbe, agent.livenessProbe, agent.readinessProbe].filter((probe) => probe !== undefined)

  test('has a configuration that is right, and refers to secrets as files', async () => {
    const { pools, server } = await config()
    expect(pools.size).toBeGreaterThan(0)
    expect(server.tokensFile).toBeDefined()
    expect(configuration).toMatch(/password: \$\{file:/)
  })

  test('mounts all files that it names, and has a place for all that is written', async () => {
    const { server } = await config()
    const mountOf = (path: string) => agent.volumeMounts.find(({ mountPath }) => path.startsWith(`${mountPath}/`))
    const read = [agent.args?.at(-1) ?? '', server.tokensFile ?? '', '/etc/wellpool/secrets/orders-password']
    const tls = server.tls === undefined ? [] : Object.values(server.tls)
    for (const path of [...read, ...tls]) expect([path, mountOf(path)?.readOnly]).toEqual([path, true])
    if (server.auditLog !== undefined) expect(mountOf(server.auditLog)).toMatchObject({ mountPath: '/var/lib/wellpool' })
    const volumes = pod.volumes.map(({ name }) => name)
    for (const container of [agent, ...pod.containers]) for (const { name } of container.volumeMounts) expect(volumes).toContain(name)
  })

  test('says how each Secret is made that it mounts', () => {
    const made = [...readPage(file).matchAll(/^# +kubectl create secret (?:generic|tls) (\S+)/gm)].map(([, name]) => name)
    const mounted = pod.volumes.flatMap(({ secret }) => secret?.secretName ?? [])
    expect(made.sort()).toEqual(mounted.sort())
  })

  test('runs what the image has, as the user of the image', () => {
    expect(agent.image).toBe(`wellpool:${version}`)
    expect(commandOf(agent.args ?? [])).toBe('serve')
    expect(readPage('ops/docker/Dockerfile')).toContain(`USER ${pod.securityContext.runAsUser}:`)
    expect(agent.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
  })

  test('waits for longer than the agent may take to end', async () => {
    const { drainTimeoutMs } = await config()
    const preStop = Number(agent.lifecycle?.preStop.exec.command[1] ?? 0)
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(preStop + drainTimeoutMs / 1000 + GRACE.close + GRACE.answers)
  })

  test('asks routes that there are, where they are', async () => {
    const { server } = await config()
    expect(probes.length).toBeGreaterThan(1)
    for (const { httpGet, exec } of probes) {
      if (httpGet !== undefined) {
        expect(paths).toContain(httpGet.path)
        expect(httpGet.scheme).toBe(server.tls === undefined ? 'HTTP' : 'HTTPS')
        expect(agent.ports).toContainEqual({ name: httpGet.port, containerPort: server.port })
      } else {
        const [node, script, route] = exec?.command ?? []
        expect([node, script]).toEqual(['node', '/opt/wellpool/probe.mjs'])
        expect(paths).toContain(route)
      }
      // The kubelet does not reach loopback.
      expect(httpGet === undefined).toBe(server.host === '127.0.0.1')
    }
    expect(JSON.stringify(agent.livenessProbe)).not.toContain('/readyz')
  })

  test('sends to the Pods what is for them', async () => {
    const { server } = await config()
    expect(of('Deployment')[0]?.spec?.selector?.matchLabels).toEqual(template?.metadata.labels)
    for (const { spec } of of('Service')) {
      expect(spec?.selector).toEqual(template?.metadata.labels)
      expect(spec?.ports?.map(({ targetPort }) => targetPort)).toEqual(agent.ports?.map(({ name }) => name))
    }
    for (const { spec } of of('NetworkPolicy')) {
      expect(spec?.podSelector?.matchLabels).toEqual(template?.metadata.labels)
      expect(spec?.ingress?.flatMap(({ ports }) => ports.map(({ port }) => port))).toEqual([server.port])
    }
  })
})
