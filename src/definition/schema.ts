import { z } from 'zod';
import { checkSchema } from './check-schema.ts';
import { parseTemplate } from './template.ts';
import { messageOf } from '../lib/index.ts';

const SHELL_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const SERVICE_ID = /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?$/;
const FEDERATION = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const HOST = /^(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?(?:\/\S*)?$/;

const text = z.string({ error: 'expected text' });
const list = { error: 'expected a list' };
const map = { error: 'expected a map' };
const flag = z.boolean({ error: 'expected true or false' });

/** A service's id: it names files, cgroups and DNS labels. */
export const serviceIdSchema = text.regex(SERVICE_ID, {
  error: 'expected at most 63 letters, digits, "-" and "_", with a letter or digit at both ends',
});
export const federationSchema = text.regex(FEDERATION, {
  error: 'expected at most 63 letters, digits, ".", "-" and "_", with a letter or digit at both ends',
});
/** The name of an environment variable, as every shell takes it. */
export const variableSchema = text.regex(SHELL_NAME, {
  error: 'the name of a variable has letters, digits and "_" and does not begin with a digit',
});
export const portSchema = z
  .number({ error: 'expected a port from 1 to 65535' })
  .int({ error: 'expected a port from 1 to 65535' })
  .min(1, { error: 'expected a port from 1 to 65535' })
  .max(65_535, { error: 'expected a port from 1 to 65535' });

/** A text, number or boolean that becomes text; every byte but NUL survives. */
export const scalarSchema = z
  .union([z.string(), z.number(), z.boolean()], { error: 'expected text, a number or a boolean' })
  .refine((value) => !String(value).includes('\0'), {
    error: 'the value holds a NUL byte, which no environment can hold',
  });

const templateSchema = z
  .string({ error: 'expected text such as "http://{HOST}:{PORT}"' })
  .superRefine((value, context) => {
    try {
      parseTemplate(value);
    } catch (error) {
      context.addIssue({ code: 'custom', message: messageOf(error), input: value });
    }
  });

const variables = z.record(variableSchema, scalarSchema, map);
const templates = z.record(variableSchema, templateSchema, map);

const requires = z.union([templates, z.array(z.union([serviceIdSchema, templates]))], {
  error: 'expected a map of variable to "{NAME}", or a list of service ids',
});

const fields = {
  $schema: text.describe('Where an editor finds `service-file.schema.json`; not looked at otherwise.').optional(),
  id: serviceIdSchema.describe('Name of the service; the file is named after it.'),
  command: z
    .union([z.boolean(), z.string(), z.array(z.string())], {
      error: 'expected true, false, a command line or a list of arguments',
    })
    .refine((value) => typeof value === 'boolean' || value.length > 0, {
      error: 'expected true, false, a command line or a list of arguments',
    })
    .describe(
      'How it runs: `true` by its `run_list`; a text or list by drover itself; `false` by somebody else. Default: `true` with a `run_list`, else `false`.',
    )
    .optional(),
  run_list: z.array(text, list).describe('Recipes and roles that configure and run it on a node.').optional(),
  environment: variables
    .describe('Variables with fixed values. Numbers and booleans become text as they are written.')
    .optional(),
  requires: requires
    .describe(
      'Variables made from what others provide: `{"API_URL": "{READONLY_API_URL}"}`, `{api.API_URL}` for that of one service; or a list of services, all of whose names are then variables: `["api"]`.',
    )
    .optional(),
  provides: templates
    .describe(
      'Names it offers: `{"API_URL": "http://{HOST}:{PORT}"}`. It may use HOST, PORT, ID, NODE, REGION, META.key, in either case, and its own `environment`. `{{` and `}}` stand for braces.',
    )
    .optional(),
  local_port: portSchema
    .describe(
      "Port of its listener on each consumer's local balancer, 1-65535; default port of its instances. Without one, consumers go to an instance directly.",
    )
    .optional(),
  protocol: z
    .enum(['http', 'tcp'], { error: 'expected "http" or "tcp"' })
    .describe(
      'What the balancer speaks; default `http` when a provided value begins with http:// or https://, else `tcp`.',
    )
    .optional(),
  bind: z
    .enum(['any', 'node'], { error: 'expected "any" or "node"' })
    .describe(
      "`node`: it listens on its node's own address only, so that the balancer has a listener for it on its own nodes too. Default `any`.",
    )
    .optional(),
  panic: z
    .enum(['empty', 'keep'], { error: 'expected "empty" or "keep"' })
    .describe(
      'What a balancer does when every instance became critical: answer 503, or keep the last ones. Default `empty`.',
    )
    .optional(),
  public: flag.describe('Carried by the external balancers of its federation. Default `false`.').optional(),
  hosts: z
    .array(
      text.regex(HOST, {
        error: 'expected a host name such as "www.example.com", "*.example.com" or "example.com/path"',
      }),
      list,
    )
    .describe('Host names, each with an optional path, under which external balancers carry it.')
    .optional(),
  federation: federationSchema.describe('Services see each other within one federation. Default `default`.').optional(),
  shared: flag
    .describe(
      'Others may provide the same names, if they say so too and agree on template and `local_port`. Default `false`.',
    )
    .optional(),
  checks: z.array(checkSchema, list).describe('How an instance is checked, as in Consul.').optional(),
  status: text
    .regex(/^\/\S*$/, { error: 'expected a path such as "/status"' })
    .describe('Path of an HTTP check on each instance, every 10 s: 2xx is passing.')
    .optional(),
  meta: z.record(z.string(), scalarSchema, map).describe('Values for people and templates (`{META.key}`).').optional(),
  incarnation: text
    .min(1, { error: 'expected text' })
    .describe('Which incarnation of the service this is (DNS-SD).')
    .optional(),
  run: z
    .union([text, z.record(z.string(), z.unknown())], { error: 'expected a text or a map' })
    .describe("Placement and resources of a dynamic service; kept for drover's scheduler.")
    .optional(),
  regions: z
    .record(z.string(), z.record(z.string(), z.unknown(), map), map)
    .describe('Region to the keys that differ there; kept as written.')
    .optional(),
} as const;

/** The service file (P1). The manual, the editors' schema and the validation all come from it. */
export const serviceSchema = z.strictObject(fields);
export type ServiceInput = z.output<typeof serviceSchema>;
