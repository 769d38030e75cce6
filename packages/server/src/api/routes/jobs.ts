import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import type { Job } from '../../observe/rebuild-jobs.ts'
import { audited } from '../audited.ts'
import type { ApiContext, RebuildAnswer } from '../context.ts'
import { ApiProblem, type Problem } from '../problem.ts'
import { closed, describeRoute, problems } from '../schemas/common.ts'
import { JobParams, JobSchema } from '../schemas/rebuilds.ts'

export const ProtocolParams = closed({ protocol: Type.String({ minLength: 1, maxLength: 100 }) })

/** Rebuilds that go on while nobody waits for them. */
export function jobRoutes(app: FastifyInstance, context: ApiContext): void {
  const list = { 200: Type.Object({ jobs: Type.Array(JobSchema, { description: 'The latest first.' }) }), ...problems() }
  app.get('/jobs', describeRoute('rebuilds', 'listJobs', 'Rebuilds that run, and those that have ended lately', 'viewer', list), () => ({
    jobs: context.jobs.list().map(toJob),
  }))

  const one = { 200: JobSchema, ...problems([404, 'There is no such job, or it is forgotten.']) }
  app.get<{ Params: Static<typeof JobParams> }>(
    '/jobs/:job',
    describeRoute('rebuilds', 'getJob', 'How far a rebuild is', 'viewer', one, { params: JobParams }),
    ({ params }) => toJob(find(context, params.job)),
  )
  app.delete<{ Params: Static<typeof JobParams> }>(
    '/jobs/:job',
    describeRoute('rebuilds', 'cancelJob', 'Cancel what has not begun of a rebuild', 'operator', one, { params: JobParams }),
    (request) => {
      const { job: id } = request.params
      const job = find(context, id)
      return audited(context, request, { action: 'cancel', target: `job ${id}` }, () => {
        context.jobs.cancel(id)
        return toJob(job)
      })
    },
  )
}

/** A job as the API tells it. */
export function toJob({ failure, ...job }: Job<RebuildAnswer, Problem>): Static<typeof JobSchema> {
  return { ...job, ...(failure !== undefined && { problem: failure }) } as Static<typeof JobSchema>
}

function find({ jobs }: ApiContext, id: string): Job<RebuildAnswer, Problem> {
  const job = jobs.get(id)
  if (job === undefined) throw new ApiProblem('JOB_NOT_FOUND', `there is no job '${id}'`)
  return job
}
