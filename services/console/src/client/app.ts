import { connectForms } from "./forms.ts";
import { followStream } from "./live.ts";
import { connectThemeToggle } from "./theme-toggle.ts";

connectThemeToggle();
connectForms();
followStream();
