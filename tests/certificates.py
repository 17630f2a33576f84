"""An authority and a server's certificate for 127.0.0.1: in, a folder; out, three files in it."""

import datetime as dt
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.etcd import Tls

_DAY = dt.timedelta(days=1)


def make_tls(folder: Path) -> Tls:
    """authority.pem, server.pem and server.key, good for a day."""
    authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority, server = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("tests", "server"))
    localhost = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    is_authority = x509.BasicConstraints(ca=True, path_length=None)
    tls = Tls(folder / "authority.pem", folder / "server.pem", folder / "server.key")
    for path, name, key, extension in (
        (tls.authority, authority, authority_key, is_authority),
        (tls.certificate, server, server_key, localhost),
    ):
        now = dt.datetime.now(dt.UTC)
        certificate = (
            x509.CertificateBuilder(authority, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - _DAY)
            .not_valid_after(now + _DAY)
            .add_extension(extension, critical=True)
            .sign(authority_key, hashes.SHA256())
        )
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    tls.key.write_bytes(server_key.private_bytes(serialization.Encoding.PEM, *private))
    return tls
