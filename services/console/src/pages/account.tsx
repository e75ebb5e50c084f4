import { secondFactorPanel } from "../account/second-factor.tsx";
import { passwordPanel, sessionsPanel } from "../account/sessions.tsx";
import { livePage, noParameters, type NoParameters } from "../live/live-page.tsx";

export const accountPage = livePage<NoParameters>({
  name: "account",
  path: "/account",
  parameters: noParameters,
  everyMs: 30_000,
  // What its owner changes draws the page anew; nothing in it moves under their hands.
  settled: () => true,
  fragments: ({ ask }) => [
    { id: "sessions", waitsFor: "auth", load: () => sessionsPanel(ask) },
    { id: "second-factor", waitsFor: "auth", load: () => secondFactorPanel(ask) },
  ],
  page: ({ person }, _, slot) => ({
    title: "Account",
    lead: (
      <>
        <bdi>{person.name}</bdi>, {person.role ?? "client"}
      </>
    ),
    children: (
      <div class="grid even">
        <div>{slot("sessions")}</div>
        <div>
          {slot("second-factor")}
          {passwordPanel()}
        </div>
      </div>
    ),
  }),
});
