import type { components } from "./schema";

// The shapes of the REST API, by the words they have everywhere in Patchbay. They are made
// from the server's OpenAPI document; only names and what it cannot say stand here.

type Schemas = components["schemas"];

export interface Page<T> {
  items: T[];
  total: number;
  next: string;
  as_of: string;
}

export type Session = Schemas["SessionState"];
export type Posture = Schemas["Posture"];
export type Counts = Schemas["Counts"];
export type PageLink = Schemas["Link"];
export type Attention = Schemas["Attention"];
export type TrendDay = Schemas["TrendDay"];
export type Bucket = Schemas["AgeCount"];
export type Worst = Schemas["WorstCustomer"];
export type Overview = Schemas["Overview"];
export type Customer = Schemas["Customer"];
export type Site = Schemas["Site"];
export type Policy = Schemas["Policy"];
export type Window = Schemas["Weekly"];
export type ProgramRule = Schemas["ApplicationRule"];
export type Day = Window["days"][number];
export type Token = Schemas["Token"];
export type NewToken = Schemas["NewToken"];
export type Mode = Token["mode"];
export type Device = Schemas["Device"];
export type DeviceDetail = Schemas["DeviceDetail"];
export type Section = Schemas["Section"];
export type Source = Schemas["Source"];
export type Item = Schemas["Item"];
export type Repair = Schemas["Repair"];
export type RepairAct = Schemas["RepairAct"];
export type RestartSource = Schemas["RestartSource"];
export type HistoryEvent = Schemas["HistoryEvent"];
export type ClassCount = Schemas["ClassCount"];
export type TimelineEntry = Schemas["TimelineEntry"];
export type Verdict = Schemas["Verdict"];
export type State = Verdict["state"];
export type Owner = Verdict["owner"];
export type Need = Schemas["Need"];
export type Master = Schemas["Master"];
export type NeedDetail = Schemas["NeedDetail"];
export type ChainLink = Schemas["ChainLink"];
export type Reversible = Schemas["Reversible"];
export type Update = Schemas["Update"];
export type UpdateDetail = Schemas["UpdateDetail"];
export type ApprovalWish = Schemas["ApprovalWish"];
export type What = Schemas["ApprovalTarget"];
export type Level = ApprovalWish["level"];
export type Preview = Schemas["Preview"];
export type PreviewRecall = Schemas["PreviewRecall"];
export type Approval = Schemas["Approval"];
export type ItemKey = Schemas["ItemKey"];
export type Job = Schemas["Job"];
export type JobDetail = Schemas["JobDetail"];
export type Outcome = Schemas["Outcome"];
export type Receipt = Schemas["Receipt"];
export type Activity = Schemas["Activity"];
export type ChainCheck = Schemas["ChainCheck"];
export type Key = Schemas["APIKey"];
export type Trust = Schemas["Trust"];
export type Catalog = Schemas["Catalog"];
export type Package = Schemas["Package"];
export type PackageDetail = Schemas["PackageDetail"];
export type Release = Schemas["Release"];
export type Installer = Schemas["Installer"];
export type MissingFile = Schemas["MissingFile"];
export type Feed = Schemas["Feed"];
export type Content = Schemas["Content"];
export type ContentUsage = Schemas["ContentUsage"];
export type ContentFetch = Schemas["ContentFetch"];
export type TrustRole = Schemas["TrustRole"];
export type Finding = Schemas["Finding"];
export type ExposedTo = Schemas["ExposedTo"];
export type Exposure = Schemas["Exposure"];
export type MendedDevice = Schemas["MendedDevice"];
export type ExposedCustomer = Schemas["ExposedCustomer"];
export type ExposedDevice = Schemas["ExposedDevice"];
export type Bulletin = Schemas["Bulletin"];
export type BulletinDetail = Schemas["BulletinDetail"];
export type BulletinCustomer = Schemas["BulletinCustomer"];
export type DeviceFindings = Schemas["DeviceFindings"];
