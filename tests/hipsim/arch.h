const char *sim_arch(void);
