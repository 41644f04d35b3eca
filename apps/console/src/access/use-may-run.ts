import { useEffect, useState } from 'react';
import { useGateway } from '../api/use-gateway.js';
import type { May } from './access-memory.js';

const asking: May = { allowed: undefined, reason: '' };

/** Whether the caller may run a command on a VM: with any arguments, with none, or with some. */
export function useMayRun(vm: string, command: string, { agent = false }: { readonly agent?: boolean } = {}): May {
  const { access } = useGateway();
  const [may, setMay] = useState(asking);
  useEffect(() => {
    let wanted = true;
    setMay(asking);
    void access.mayRun(vm, command, agent).then((answer) => {
      if (wanted) setMay(answer);
    });
    return () => {
      wanted = false;
    };
  }, [access, vm, command, agent]);
  return may;
}
