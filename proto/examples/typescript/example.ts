// Keeps a copy of a portfolio's projects: creates some, shows a refusal, lists them, then watches.
//
// The file holds the copy with its cursor. A second run sends the same request ids, so it creates nothing,
// and watches on. It ends when the copy holds the change that it makes itself; a real subscriber would go on.
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { toJson } from '@bufbuild/protobuf';
import { Code, ConnectError, createClient, type Interceptor } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { BadRequestSchema, ErrorInfoSchema } from './stubs/google/rpc/error_details_pb.js';
import { EventService } from './stubs/milepost/notifier/v1/event_service_pb.js';
import { PortfolioService } from './stubs/milepost/registry/v1/portfolio_pb.js';
import { type ProjectJson, ProjectSchema, ProjectService } from './stubs/milepost/registry/v1/project_pb.js';

type Copy = { cursor: string; projects: Record<string, ProjectJson> };

const PORTFOLIO = 'portfolios/example-typescript';
const OFFICE = { displayName: '示例', timeZone: 'Asia/Shanghai', reportingCurrencyCode: 'CNY' };
const PROJECTS = { avenue: '科学大道', school: '小学', substation: '变电站' };

const [address, file] = process.argv.slice(2);
const addPrincipal: Interceptor = (next) => (request) => {
  request.header.set('x-milepost-principal', 'example-typescript');
  return next(request);
};
// The ping finds a connection that was lost in silence.
const options = { interceptors: [addPrincipal], defaultTimeoutMs: 10_000, pingIntervalMs: 30_000 };
const transport = createGrpcTransport({ baseUrl: `http://${address}`, ...options });
const portfolios = createClient(PortfolioService, transport);
const projects = createClient(ProjectService, transport);
const events = createClient(EventService, transport);

/** The reason, for programs, and every violation, for people. */
function readRefusal(error: unknown): { reason: string; violations: string[] } {
  const refusal = ConnectError.from(error);
  const faults = refusal.findDetails(BadRequestSchema).flatMap((request) => request.fieldViolations);
  const violations = faults.map((fault) => `${fault.field}: ${fault.description}`);
  return { reason: refusal.findDetails(ErrorInfoSchema)[0]?.reason ?? '', violations };
}

/** All that match, over all pages: a page may be empty and still have a next one. */
async function* listProjects(fields: { filter?: string; pageSize?: number; showDeleted?: boolean }) {
  let pageToken = '';
  do {
    const page = await projects.listProjects({ ...fields, parent: PORTFOLIO, pageToken });
    yield* page.projects;
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
}

async function makeCopy(): Promise<Copy> {
  // The cursor first: what changes while the list is read then comes as an event.
  const { latestCursor } = await events.getLogInfo({});
  const copy: Copy = { cursor: latestCursor, projects: {} };
  for await (const project of listProjects({ showDeleted: true })) {
    copy.projects[project.name] = toJson(ProjectSchema, project);
  }
  return copy;
}

/** Applies events to the copy, without end, and yields it whenever it is to be kept. */
async function* watch(copy: Copy): AsyncGenerator<Copy> {
  const selection = { resource: PORTFOLIO, types: ['milepost.project.*'] };
  for (;;) {
    const request = { from: { case: 'afterCursor', value: copy.cursor }, selection } as const;
    try {
      for await (const response of events.watchEvents(request, { timeoutMs: 0 })) {
        if (response.sourceReset) {
          console.log(`${response.sourceReset.source} was restored: listing again`);
          copy = await makeCopy();
        }
        for (const { type, resource } of response.events) {
          if (resource.case !== 'projectResource') continue;
          const { name, etag } = resource.value;
          if (BigInt(etag) < BigInt(copy.projects[name]?.etag ?? 0)) continue; // the list was newer
          copy.projects[name] = toJson(ProjectSchema, resource.value);
          console.log(`${type} ${name}`);
        }
        copy.cursor = response.cursor;
        yield copy;
      }
    } catch (error) {
      const { reason } = readRefusal(error);
      if (reason.startsWith('CURSOR_') || reason === 'LOG_DIVERGED') {
        console.log(`${reason}: listing again`);
        yield (copy = await makeCopy());
      } else if (ConnectError.from(error).code !== Code.Unavailable) throw error;
    }
    await sleep(1000); // a planned end, a restart or a lost connection: go on after the last cursor
  }
}

await portfolios.createPortfolio({
  portfolioId: 'example-typescript', requestId: 'create-portfolio', portfolio: OFFICE });
for (const [projectId, displayName] of Object.entries(PROJECTS)) {
  const { project } = await projects.createProject({
    parent: PORTFOLIO, projectId, requestId: `create-${projectId}`, project: { displayName } });
  console.log(`created ${project?.name} ${project?.displayName}`);
}
try {
  await projects.createProject({ parent: PORTFOLIO, projectId: 'No id', project: {} });
} catch (error) {
  const { reason, violations } = readRefusal(error);
  console.log([`refused: ${reason}`, ...violations].join('\n  '));
}
const found = listProjects({ filter: 'display_name:道 OR display_name:站', pageSize: 1 });
for await (const project of found) console.log(`found ${project.name}`);

const kept: Copy = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : await makeCopy();
const { project: own } = await projects.updateProject({
  project: { name: `${PORTFOLIO}/projects/avenue`, purpose: `run ${randomUUID()}` },
  updateMask: { paths: ['purpose'] }, requestId: randomUUID() });
for await (const copy of watch(kept)) {
  writeFileSync(`${file}.new`, JSON.stringify(copy));
  renameSync(`${file}.new`, file); // the copy and its cursor together, or neither
  if (own && BigInt(copy.projects[own.name].etag ?? 0) >= BigInt(own.etag)) process.exit();
}
