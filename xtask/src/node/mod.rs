//! Real Debian 13 machines with systemd on one host: create, boot, reboot, cut the power, destroy.
