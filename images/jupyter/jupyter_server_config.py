# JupyterLab behind Portico's front door. The door has admitted every request that arrives here and
# nothing else can reach this port, so the server asks for no token of its own. Requests keep the Host
# header that the browser sent; the server's own rule "Origin equals Host" therefore holds as it is.
import os

c = get_config()  # noqa: F821 (given by Jupyter)

c.ServerApp.ip = os.environ.get("PORTICO_IP", "0.0.0.0")
c.ServerApp.port = int(os.environ.get("PORTICO_PORT", "8888"))
c.ServerApp.port_retries = 0
c.ServerApp.base_url = os.environ.get("PORTICO_BASE_PATH", "/")
c.ServerApp.root_dir = os.environ["HOME"]
c.ServerApp.open_browser = False
c.ServerApp.quit_button = False
c.ServerApp.allow_remote_access = True
c.ServerApp.trust_xheaders = True
c.ServerApp.terminado_settings = {"shell_command": ["/bin/bash"]}

c.IdentityProvider.token = ""
c.PasswordIdentityProvider.hashed_password = ""

# Kernels and server talk through unix sockets in JUPYTER_RUNTIME_DIR, not through ports.
c.KernelManager.transport = "ipc"

# Nothing is asked of the Internet unless the person at the keyboard does.
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.news_url = None
c.LabApp.extension_manager = "readonly"
