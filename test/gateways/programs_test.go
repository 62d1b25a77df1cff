// SPDX-License-Identifier: Apache-2.0

package gateways

import (
	"fmt"
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// prepareNginx writes the main file around the one that is proved: one that needs no right to write outside its folder.
func prepareNginx(dir, configuration string) []string {
	GinkgoHelper()
	main := fmt.Sprintf(`daemon off;
worker_processes 1;
pid %[1]s/pid;
error_log stderr warn;
events { worker_connections 256; }
http {
  access_log %[1]s/access.log;
  client_body_temp_path %[1]s/body;
  proxy_temp_path %[1]s/proxy;
  fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi;
  scgi_temp_path %[1]s/scgi;
  include %[2]s;
}
`, dir, configuration)
	file := filepath.Join(dir, "main.conf")
	Expect(os.WriteFile(file, []byte(main), 0o644)).To(Succeed())
	return []string{"-c", file, "-e", "stderr", "-p", dir}
}

// prepareCaddy writes the global options around the file that is proved: no administration port, and an access log.
func prepareCaddy(dir, configuration string) []string {
	GinkgoHelper()
	main := fmt.Sprintf(`{
	admin off
	auto_https off
	log {
		output file %s/caddy.log
		level DEBUG
	}
}
import %s
`, dir, configuration)
	file := filepath.Join(dir, "Caddyfile.main")
	Expect(os.WriteFile(file, []byte(main), 0o644)).To(Succeed())
	return []string{"run", "--adapter", "caddyfile", "--config", file}
}
