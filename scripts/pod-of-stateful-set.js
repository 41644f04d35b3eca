#!/usr/bin/env node
// Prints the pod of a StatefulSet with its settings and its claim, for `podman play kube`, which knows no StatefulSet. Probes are left
// out: podman would run them in the container, with a program that it does not have.
//
//   node pod-of-stateful-set.js MANIFEST IMAGE

import { readFileSync } from 'node:fs';
import { parseAllDocuments, stringify } from 'yaml';

const [manifest, image] = process.argv.slice(2);
const documents = parseAllDocuments(readFileSync(manifest, 'utf8')).map((document) => document.toJSON());
const { metadata, spec } = documents.find(({ kind }) => kind === 'StatefulSet');
const { containers, volumes, ...rest } = spec.template.spec;
const claims = spec.volumeClaimTemplates.map((claim) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  ...claim,
}));
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { ...spec.template.metadata, name: `${metadata.name}-0` },
  spec: {
    ...rest,
    containers: containers.map((container) => ({
      ...Object.fromEntries(Object.entries(container).filter(([key]) => !key.endsWith('Probe'))),
      image,
    })),
    volumes: [
      ...volumes,
      ...claims.map(({ metadata: { name } }) => ({ name, persistentVolumeClaim: { claimName: name } })),
    ],
  },
};
const settings = documents.filter(({ kind }) => kind === 'ConfigMap');
process.stdout.write([...settings, ...claims, pod].map((document) => stringify(document)).join('---\n'));
