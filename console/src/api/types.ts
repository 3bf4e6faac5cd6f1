// The shapes of the REST API, by the words they have everywhere in Patchbay.

export type State =
  | "verified"
  | "moving"
  | "waits_time"
  | "waits_person"
  | "failed"
  | "excepted"
  | "unknown"
  | "gone";

export type Owner = "" | "msp" | "customer" | "user" | "vendor" | "patchbay";
export type Act = "" | "approve" | "force" | "retry" | "unhold" | "look" | "manage";
export type Mode = "observe" | "manage";

export interface Ref {
  id: string;
  name: string;
}

export interface Page<T> {
  items: T[];
  total: number;
  next: string;
  as_of: string;
}

export interface Person {
  id: string;
  email: string;
  name: string;
  totp: boolean;
}

export interface Session {
  person?: Person | null;
  totp_required: boolean;
  setup_open: boolean;
  version: string;
  installation_name: string;
}

export interface Posture {
  needs: number;
  verified: number;
  moving: number;
  waits_time: number;
  waits_person: number;
  failed: number;
  excepted: number;
  unknown: number;
  security_open: number;
  devices: number;
  silent: number;
  enrolled: number;
  never_scanned: number;
}

export type Counts = Pick<
  Posture,
  "verified" | "moving" | "waits_time" | "waits_person" | "failed" | "excepted" | "unknown"
>;

/** A page of the console and its filters, as the server names them. */
export interface PageLink {
  page: string;
  params?: Record<string, string> | null;
}

export interface Attention {
  kind: string;
  sentence: string;
  count: number;
  link: PageLink;
  act: string;
}

export interface TrendDay {
  day: string;
  verified: number;
  open: number;
  unknown: number;
}

export interface Bucket {
  bucket: string;
  count: number;
}

export interface Worst {
  customer: Ref;
  open: number;
  security_open: number;
  silent: number;
  devices: number;
}

export interface Overview {
  sentence: string;
  as_of: string;
  posture: Posture;
  attention: Attention[];
  failed: Need[];
  waits: Update[];
  silent: Device[];
  running: Job[];
  worst: Worst[];
  trend: TrendDay[];
  security_open_by_age: Bucket[];
}

export interface Customer {
  id: string;
  name: string;
  note?: string;
  created_at: string;
  closed_at?: string | null;
  sites: number;
  posture: Posture;
  next_window?: { site: string; site_name: string; at: string; open: boolean } | null;
}

export type Day = "mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun";

export interface Window {
  zone?: string;
  days: Day[];
  start: string;
  minutes: number;
}

export interface Policy {
  auto: "by_hand" | "security";
  windows?: Window[] | null;
  reboot: boolean;
}

export interface WindowState {
  open: boolean;
  sentence: string;
  next_change?: string | null;
  next_open?: string | null;
}

export interface Site {
  id: string;
  name: string;
  customer: Ref;
  zone: string;
  policy: Policy;
  window: WindowState;
  devices: number;
  posture: Posture;
  created_at: string;
}

export interface Token {
  id: string;
  customer: Ref;
  site: Ref;
  note?: string;
  mode: Mode;
  max_uses: number;
  used: number;
  created_at: string;
  created_by?: string;
  expires_at: string;
  revoked_at?: string | null;
  state: "open" | "used_up" | "expired" | "revoked";
}

export interface NewToken extends Token {
  secret_line: string;
  install_lines?: string[] | null;
}

export interface Restart {
  machine: boolean;
  reasons?: string[] | null;
  services?: string[] | null;
  unknown?: string[] | null;
}

export interface Device {
  id: string;
  name: string;
  customer: Ref;
  site: Ref;
  os_name?: string;
  release?: string;
  support_ends?: string | null;
  kernel?: string;
  architecture?: string;
  container: boolean;
  agent: {
    id: string;
    mode: Mode;
    build?: string;
    last_seen: string;
    enrolled_at: string;
    clock_off_seconds: number;
  };
  silent: boolean;
  silent_since?: string | null;
  scanned_at?: string | null;
  posture: Posture;
  restart: Restart;
  patchers?: string[] | null;
  window: WindowState;
  state: "ok" | "silent" | "never_scanned" | "scan_failed";
}

export interface Section {
  name: string;
  state: "ok" | "failed" | "absent";
  error?: string;
  scanned_at?: string | null;
  failed_at?: string | null;
  items: number;
}

export interface Source {
  provider: string;
  name: string;
  origin?: string;
  suite?: string;
  third_party?: boolean;
  signed_at?: string | null;
  valid_until?: string | null;
  refreshed_at?: string | null;
  error?: string;
}

export interface DeviceDetail extends Device {
  sections?: Section[] | null;
  sources?: Source[] | null;
  zone: string;
  can: { approve: string; now: string; retire: string; checkin: string };
}

export interface Item {
  provider: string;
  scope?: string;
  name: string;
  architecture?: string;
  instance?: string;
  version: string;
  source?: string;
  origin?: string;
  orphan?: boolean;
  auto?: boolean;
  held?: boolean;
  broken?: string;
}

export interface TimelineEntry {
  at: string;
  kind: "enrolled" | "scan" | "outcome" | "approval" | "job" | "audit";
  title: string;
  sentence?: string;
  actor?: string;
  job?: string;
  detail?: string;
}

export interface Fact {
  text: string;
  at: string;
}

export interface Verdict {
  name: string;
  state: State;
  link: string;
  sentence: string;
  owner: Owner;
  since: string;
  next?: string | null;
  act?: Act;
  facts?: Fact[] | null;
}

export interface ItemKey {
  provider: string;
  name: string;
  architecture?: string;
  scope?: string;
  instance?: string;
}

export interface Need {
  id: string;
  device: Ref;
  customer: Ref;
  site: Ref;
  item: ItemKey;
  installed: string;
  available?: string;
  origin?: string;
  suite?: string;
  classes?: string[] | null;
  severity?: string;
  size?: number;
  reboot?: string;
  block?: string;
  update?: string;
  verdict: Verdict;
  job?: { id: string; step?: string; since?: string | null; why?: string } | null;
  can: { approve: string; reject: string; force: string; retry: string };
}

export interface ChainLink {
  link: string;
  met: boolean;
  sentence?: string;
  at?: string | null;
}

export interface NeedDetail extends Need {
  chain?: ChainLink[] | null;
  approvals?: Approval[] | null;
  jobs?: Job[] | null;
}

export interface Update {
  id: string;
  provider: string;
  name: string;
  available: string;
  origin?: string;
  suite?: string;
  classes?: string[] | null;
  severity?: string;
  size?: number;
  released_at?: string | null;
  released_by?: string;
  reboot?: string;
  first_seen: string;
  devices: number;
  customers: number;
  counts: Counts;
  silent: number;
  from?: string[] | null;
}

export interface UpdateDetail extends Update {
  by_customer?: { customer: Ref; counts: Counts; devices: number; silent: number }[] | null;
}

export type Level = "msp" | "customer" | "site" | "device";

export interface What {
  update?: string;
  need?: string;
  class?: string;
  all?: boolean;
}

export interface ApprovalRequest {
  level: Level;
  target: string;
  what: What;
  answer: "approve" | "reject";
  reason: string;
  follow: boolean | null;
  now: boolean;
  allow_removals: string[];
}

export interface Preview {
  sentence: string;
  needs: number;
  devices: number;
  updates: number;
  reboots: number;
  outside_window: number;
  observed_only: number;
  silent: number;
  updates_list?: { name: string; available: string; devices: number }[] | null;
}

export interface Approval {
  id: string;
  customer: Ref;
  level: Level;
  target: string;
  target_name: string;
  provider: string;
  name: string;
  version: string;
  answer: "approve" | "reject";
  follow: boolean;
  reason?: string;
  by: Ref;
  at: string;
  forced_until?: string | null;
  withdrawn_at?: string | null;
}

export interface Job {
  id: string;
  device: Ref;
  customer: Ref;
  item: ItemKey;
  from: string;
  to: string;
  verb: string;
  decision: string;
  attempt: number;
  not_before: string;
  not_after: string;
  forced?: string;
  step?: string;
  step_since?: string | null;
  why?: string;
  result?: string;
  message?: string;
  created_at: string;
  ended_at?: string | null;
  withdrawn_at?: string | null;
}

export interface Outcome {
  seq: number;
  step: string;
  result: string;
  at: string;
  received_at: string;
  message?: string;
  detail?: string;
}

export interface Receipt {
  verified: boolean;
  before: string;
  after?: string;
  changes?: { name: string; architecture?: string; from?: string; to?: string; asked?: boolean }[] | null;
  conflicts?: { path: string; vendor?: string }[] | null;
  boot_before?: string;
  boot_after?: string;
  started_at: string;
  ended_at: string;
  key?: string;
  signature_ok: boolean;
}

export interface JobDetail extends Job {
  outcomes?: Outcome[] | null;
  receipt?: Receipt | null;
}

export interface Activity {
  chain: string;
  chain_name: string;
  seq: number;
  at: string;
  actor: Ref;
  act: string;
  object: string;
  device?: string;
  sentence: string;
  hash: string;
  payload?: unknown;
}

export interface ChainCheck {
  chain: string;
  name: string;
  rows: number;
  ok: boolean;
  first_bad?: number | null;
}

export interface Key {
  id: string;
  name: string;
  created_at: string;
  expires_at: string;
  seen_at?: string | null;
  revoked_at?: string | null;
}

export interface NewKey extends Key {
  key: string;
}
