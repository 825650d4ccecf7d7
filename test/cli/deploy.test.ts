/** What `deploy/` holds: its commands are ours, its manifests are those of Kubernetes. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { craneNative, root } from './crane-native.js';

const folder = join(root, 'deploy', 'kubernetes');
const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
const validate = join(root, 'build/kubernetes/bin/kubernetes-validate');

interface Container {
  name: string;
  image: string;
  args: unknown[];
  securityContext: Record<string, unknown>;
}
interface PodSpec {
  containers: Container[];
  securityContext: Record<string, unknown>;
}

interface Rule {
  action: string;
  onExitCodes: { containerName: string; operator: string; values: number[] };
}

/** Of whatever kind of manifest. */
function podsIn(value: unknown): PodSpec[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('containers' in value) return [value as PodSpec];
  return Object.values(value).flatMap(podsIn);
}

const pods = files.flatMap((name) =>
  parseAllDocuments(readFileSync(join(folder, name), 'utf8')).flatMap((document) => {
    expect(document.errors).toEqual([]);
    return podsIn(document.toJS()).map((pod) => ({ name, pod }));
  }),
);

/** The flags of a command line are known to its command. */
async function expectKnown(args: readonly unknown[]): Promise<void> {
  const words = args.map((each) => {
    expect(typeof each, `${String(each)} is no text`).toBe('string');
    return String(each);
  });
  const help = await craneNative([words[0]!, '--help']);
  expect(help.code).toBe(0);
  const flags = words.filter((word) => word.startsWith('--'));
  expect(flags.length).toBeGreaterThan(0);
  for (const flag of flags) expect(help.stdout.split(/[\s,]+/), `${words[0]} ${flag}`).toContain(flag);
}

describe('deploy/kubernetes', () => {
  it('has a service, workers and a batch', () => {
    expect(pods.map(({ name }) => name).sort()).toEqual(['batch.yaml', 'service.yaml', 'workers.yaml']);
  });

  it.each(pods)(
    '$name: its command line is ours, and it may do nothing that it need not',
    async ({ pod }) => {
      expect(pod.securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      for (const { args, securityContext } of pod.containers) {
        await expectKnown(args);
        expect(securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
      }
    },
  );

  it('batch.yaml counts its shards once', () => {
    const text = readFileSync(join(folder, 'batch.yaml'), 'utf8');
    const completions = /completions: (\d+)/.exec(text)![1];
    expect(text).toContain(`index/${completions},`);
  });

  it('batch.yaml tries again what another try can mend', () => {
    const text = readFileSync(join(folder, 'batch.yaml'), 'utf8');
    const { spec } = parse(text) as { spec: { podFailurePolicy: { rules: Rule[] } } };
    const { containers } = podsIn(spec)[0]!;
    const [{ action, onExitCodes }] = spec.podFailurePolicy.rules as [Rule];
    expect([action, onExitCodes.operator]).toEqual(['FailIndex', 'In']);
    expect(containers.map(({ name }) => name)).toContain(onExitCodes.containerName);
    // Pictures that failed fail again; a lock of the pod before (2) and what the environment refused (5) may be gone later.
    expect(onExitCodes.values).toEqual([3, 4]);
  });

  it.skipIf(!existsSync(validate)).each(['service.yaml', 'batch.yaml'])(
    '%s is what Kubernetes takes',
    (name) => {
      execFileSync(validate, ['--strict', '--kubernetes-version', '1.29', join(folder, name)], {
        stdio: 'pipe',
      });
      const broken = readFileSync(join(folder, name), 'utf8').replace('containers:', 'container:');
      expect(() => execFileSync(validate, ['--strict', '-'], { input: broken, stdio: 'pipe' })).toThrow();
    },
  );
});

it('the image starts a command that is ours', async () => {
  const text = readFileSync(join(root, 'deploy', 'Dockerfile'), 'utf8');
  const list = (word: string) =>
    JSON.parse(new RegExp(`^${word} (\\[.*\\])$`, 'm').exec(text)![1]!) as string[];
  expect(list('ENTRYPOINT')).toEqual(['node', '/app/node_modules/crane-native/dist/cli/main.js']);
  await expectKnown(list('CMD'));
});
