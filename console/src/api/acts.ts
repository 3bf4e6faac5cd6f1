import { got, http } from "./client";
import type { components } from "./schema";

// What the console does at the server. Each is one request; what it changed is heard again
// through the events.

type Schemas = components["schemas"];

export const signIn = (body: Schemas["SignIn"]) => got(http.POST("/api/v1/session", { body }));
export const signOut = () => got(http.DELETE("/api/v1/session"));
export const setUp = (body: Schemas["Setup"]) => got(http.POST("/api/v1/setup", { body }));
export const prepareTotp = () => got(http.POST("/api/v1/me/totp"));
export const confirmTotp = (code: string) => got(http.PUT("/api/v1/me/totp", { body: { code } }));

export const makeKey = (body: Schemas["NewKey"]) => got(http.POST("/api/v1/me/keys", { body }));
export const revokeKey = (key: string) => got(http.DELETE("/api/v1/me/keys/{key}", { params: { path: { key } } }));

export const makeCustomer = (body: Schemas["NewCustomer"]) => got(http.POST("/api/v1/customers", { body }));
export const makeSite = (customer: string, body: Schemas["NewSite"]) =>
  got(http.POST("/api/v1/customers/{customer}/sites", { params: { path: { customer } }, body }));
export const changeSite = (site: string, body: Schemas["SiteChange"]) =>
  got(http.PATCH("/api/v1/sites/{site}", { params: { path: { site } }, body }));
export const sayOfCustomer = (customer: string, body: Schemas["AttributesChange"]) =>
  got(http.PATCH("/api/v1/customers/{customer}/attributes", { params: { path: { customer } }, body }));
export const sayOfSite = (site: string, body: Schemas["AttributesChange"]) =>
  got(http.PATCH("/api/v1/sites/{site}/attributes", { params: { path: { site } }, body }));
export const makeGroup = (customer: string, name: string) => got(http.POST("/api/v1/customers/{customer}/groups", { params: { path: { customer } }, body: { name } }));
export const changeGroup = (group: string, body: Schemas["GroupChange"]) => got(http.PATCH("/api/v1/groups/{group}", { params: { path: { group } }, body }));
export const deleteGroup = (group: string) => got(http.DELETE("/api/v1/groups/{group}", { params: { path: { group } } }));
export const changeDevices = (body: Schemas["DevicesChange"]) => got(http.POST("/api/v1/devices/change", { body }));
export const makeToken = (site: string, body: Schemas["TokenWish"]) =>
  got(http.POST("/api/v1/sites/{site}/tokens", { params: { path: { site } }, body }));
export const revokeToken = (token: string) => got(http.DELETE("/api/v1/tokens/{token}", { params: { path: { token } } }));

export const checkIn = (device: string) => got(http.POST("/api/v1/devices/{device}/checkin", { params: { path: { device } } }));
export const retireDevice = (device: string, confirm: string) =>
  got(http.DELETE("/api/v1/devices/{device}", { params: { path: { device }, query: { confirm } } }));

export const fetchContent = (sha256: string, body: Schemas["FetchIn"]) =>
  got(http.POST("/api/v1/content/{sha256}/fetch", { params: { path: { sha256 } }, body }));

export const acceptFeed = (feed: string, sha256: string) => got(http.POST("/api/v1/feeds/{feed}/accept", { params: { path: { feed } }, body: { sha256 } }));
export const fetchFeed = (feed: string) => got(http.POST("/api/v1/feeds/{feed}/fetch", { params: { path: { feed } } }));

export const previewApproval = (body: Schemas["ApprovalWish"]) => got(http.POST("/api/v1/approvals/preview", { body }));
export const decide = (body: Schemas["ApprovalWish"]) => got(http.POST("/api/v1/approvals", { body }));
export const withdraw = (approval: string) => got(http.DELETE("/api/v1/approvals/{approval}", { params: { path: { approval } } }));
export const retryNeed = (need: string) => got(http.POST("/api/v1/needs/{need}/retry", { params: { path: { need } } }));
