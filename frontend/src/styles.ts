/** All style sheets, in their order. */

import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/controls.css";
import "./styles/transport.css";
import "./styles/panels.css";
import "./styles/runs.css";
import "./styles/classroom.css";
import "./styles/contrast.css";
import "./styles/paper.css";
