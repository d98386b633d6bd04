import { statfs } from 'node:fs/promises';
import os from 'node:os';
import type { ApiContext } from '../context.ts';
import { json, type V1Answer } from './exchange.ts';

const NS_PER_MS = 1_000_000;
const PERCENT = 100;

/** `GET /v1/agent/host`: the machine, in the shape that Consul took from gopsutil. */
export async function hostFacts({ clock }: ApiContext): Promise<V1Answer> {
  const collected = BigInt(Math.floor(clock.wall())) * BigInt(NS_PER_MS);
  const facts = {
    Memory: memory(),
    CPU: os.cpus().map((cpu, index) => ({ cpu: index, modelName: cpu.model, mhz: cpu.speed, cores: 1 })),
    Host: host(clock.wall()),
    Disk: await disk('/'),
    // Nanoseconds since 1970 have more digits than a double.
    CollectionTime: (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(String(collected)),
    Errors: null,
  };
  return json(facts);
}

function memory(): object {
  const [total, free] = [os.totalmem(), os.freemem()];
  const used = total - free;
  return { total, available: free, used, usedPercent: (used / total) * PERCENT, free };
}

function host(wallMs: number): object {
  const uptime = Math.floor(os.uptime());
  return {
    hostname: os.hostname(),
    uptime,
    bootTime: Math.floor(wallMs / 1_000) - uptime,
    os: os.platform(),
    platform: os.type().toLowerCase(),
    platformVersion: os.version(),
    kernelVersion: os.release(),
    kernelArch: os.machine(),
  };
}

async function disk(path: string): Promise<object> {
  const { bsize, blocks, bfree, bavail } = await statfs(path);
  const used = (blocks - bfree) * bsize;
  const free = bavail * bsize;
  return { path, total: blocks * bsize, free, used, usedPercent: (used / (used + free)) * PERCENT };
}
