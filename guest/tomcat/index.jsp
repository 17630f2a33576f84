<%@ page session="false" contentType="text/plain" import="java.util.concurrent.atomic.AtomicLong" %><%--
  A page whose cost is set by who asks for it, and that tells of itself as the demo guest's server does.
    GET /                          counter=N requests=N boot=HEX uptime=S
    GET /?rounds=200&kib=64        200 times SHA-256 of 4 KiB, and 64 KiB of memory written
    GET /?ms=20                    20 ms of CPU instead of rounds
--%><%!
    static final int MEMORY = 32 << 20, PAGE = 4096;
    static final AtomicLong COUNTER = new AtomicLong(), PLACE = new AtomicLong();
    static final byte[] memory = new byte[MEMORY];

    static int number(String text, int most) {
        int value = text == null ? 0 : Integer.parseInt(text);
        if (value < 0 || value > most) throw new NumberFormatException(text + " is not from 0 to " + most);
        return value;
    }

    static void dirty(int kib) {
        long start = PLACE.getAndAdd(kib * 1024L);
        for (long at = start; at < start + kib * 1024L; at += PAGE) memory[(int) (at % MEMORY)]++;
    }

    static void compute(int rounds, int ms) throws java.security.GeneralSecurityException {
        java.security.MessageDigest digest = java.security.MessageDigest.getInstance("SHA-256");
        byte[] block = new byte[PAGE];
        for (int round = 0; round < rounds; round++) digest.update(block);
        java.lang.management.ThreadMXBean clock = java.lang.management.ManagementFactory.getThreadMXBean();
        long until = ms == 0 ? 0 : clock.getCurrentThreadCpuTime() + ms * 1000000L;
        while (ms > 0 && clock.getCurrentThreadCpuTime() < until) digest.update(block);
        digest.digest();
    }

    static String first(String path) throws java.io.IOException {
        java.io.BufferedReader reader = new java.io.BufferedReader(new java.io.FileReader(path));
        try { return reader.readLine(); } finally { reader.close(); }
    }
%><%
    try {
        int rounds = number(request.getParameter("rounds"), 100000), ms = number(request.getParameter("ms"), 10000);
        dirty(number(request.getParameter("kib"), MEMORY >> 10));
        compute(rounds, ms);
        long counter = COUNTER.incrementAndGet();
        out.print("counter=" + counter + " requests=" + counter
            + " boot=" + first("/proc/sys/kernel/random/boot_id").substring(0, 8)
            + " uptime=" + first("/proc/uptime").split(" ")[0] + "\n");
    } catch (NumberFormatException error) {
        response.setStatus(400);
        out.print("out of range: " + error.getMessage() + "\n");
    }
%>
