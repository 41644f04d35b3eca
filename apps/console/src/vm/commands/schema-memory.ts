import { useCallback } from 'react';
import type { VmSchema } from '@qmp-gateway/client';
import type { GatewaySession } from '../../api/gateway-session.js';
import { useAnswer, type Answer } from '../../api/use-answer.js';
import { useGateway, useVm } from '../../api/use-gateway.js';

/** VMs of one build share a schema, so few are needed; each is a quarter of a megabyte. */
const mostSchemas = 8;

/** By session, so that they go with it; then by the hash that the gateway gives of a VM. */
const memories = new WeakMap<GatewaySession, Map<string, Promise<VmSchema>>>();

function schemaOf(session: GatewaySession, vm: string, hash: string): Promise<VmSchema> {
  const memory = memories.get(session) ?? new Map<string, Promise<VmSchema>>();
  memories.set(session, memory);
  let schema = memory.get(hash);
  if (schema === undefined) {
    schema = session.client.vm(vm).schema();
    memory.set(hash, schema);
    schema.catch(() => memory.delete(hash));
    const [oldest] = memory.keys();
    if (memory.size > mostSchemas && oldest !== undefined) memory.delete(oldest);
  }
  return schema;
}

/** The commands of a VM and their types. They are asked for anew when the VM says that they are others. */
export function useVmSchema(vm: string): Answer<VmSchema> {
  const session = useGateway();
  const hash = useVm(vm)?.schema ?? '';
  const ask = useCallback(() => schemaOf(session, vm, hash === '' ? `of ${vm}` : hash), [session, vm, hash]);
  return useAnswer(ask);
}
