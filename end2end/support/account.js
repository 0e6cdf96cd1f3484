// People with accounts: their forms filled in by HTTP where a journey's subject is something else, and the codes that an
// authenticator would show.

import { createHmac } from "node:crypto";
import { expect } from "./test.js";

const SAME_ORIGIN = { "sec-fetch-site": "same-origin" };
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

export const PASSWORD = "nine moles under the bridge";

let number = 0;

/** Somebody whom no other test knows. */
export function somebody(name = "Ada Okonkwo") {
  number += 1;
  const local = `${name.toLowerCase().replace(/[^a-z]+/g, ".").slice(0, 36)}.${process.pid}.${number}.${Date.now().toString(36)}`;
  return { name, email: `${local}@example.org`, password: PASSWORD };
}

/** Another person's browser, watched as the first one is. It is closed with the journey. */
export async function anotherBrowser({ browser, baseURL, watch }, options = {}) {
  const context = await browser.newContext({ baseURL, ...options });
  watch.over(context);
  return context.newPage();
}

/** Sends a form as the page's own would be sent, and does not follow the answer. */
export async function post(page, path, form = {}, status = 303) {
  const answer = await page.request.post(path, { form, headers: SAME_ORIGIN, maxRedirects: 0 });
  expect(answer.status(), `POST ${path}`).toBe(status);
  return answer;
}

/** Makes an account and signs the page's browser in. */
export async function signUp(page, person = somebody()) {
  await post(page, "/sign-up", { next: "", name: person.name, email: person.email, password: person.password });
  return person;
}

/** Signs the page's browser in, with a code where the account asks for one. */
export async function signIn(page, person, code) {
  await post(page, "/sign-in", { next: "", email: person.email, password: person.password });
  if (code) await post(page, "/sign-in/second-factor", { next: "", code });
}

/** Fills in the page for signing in. */
export async function signInByHand(page, { email, password }) {
  await page.getByLabel("Email address").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/**
 * The code that an authenticator shows (RFC 6238: SHA-1, six digits, steps of 30 seconds). A code works once, so that the
 * next one within half a minute is asked of a later step; the server takes the steps beside the present one as well.
 */
export function codeOf(secret, later = 0) {
  const bits = [...secret.replace(/\s/g, "")].map((digit) => BASE32.indexOf(digit).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + later));
  const mac = createHmac("sha1", key).update(step).digest();
  const offset = mac[19] & 15;
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

/** Turns the second factor on. Its secret and the recovery codes. */
export async function turnOnSecondFactor(page, { password }) {
  await post(page, "/account/second-factor/start", { password });
  const html = await (await page.request.get("/account/second-factor")).text();
  const secret = html.match(/class="secret">([A-Z2-7 ]+)</)[1];
  const answer = await post(page, "/account/second-factor/confirm", { code: codeOf(secret, -1) }, 200);
  const codes = [...(await answer.text()).matchAll(/<li><code>([^<]+)<\/code>/g)].map((match) => match[1]);
  expect(codes).toHaveLength(10);
  return { secret, codes };
}

/** Makes an administrator and signs the page's browser in as them, with the second factor. */
export async function administrator(server, page, person = somebody("Grace Adeyemi")) {
  await signUp(page, person);
  await server.command("admin", "grant", person.email, "administrator");
  return { ...person, ...(await turnOnSecondFactor(page, person)) };
}
