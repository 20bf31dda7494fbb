"""Python imports this file at its start when its folder is on PYTHONPATH: notebook kernels and other child processes are offline too."""

import network_off

network_off.switch_off()
